#!/usr/bin/env bash
# Runs every test. Whatever happens, the last line is `N passed, N failed`, also where the run broke off before a test.
set -uo pipefail
cd "$(dirname "$0")/.." || exit 1

line_file=${CLOSING_LINE_FILE:-$(mktemp)}
: >"$line_file"
if [ -z "${CLOSING_LINE_FILE:-}" ]; then trap 'rm -f "$line_file"' EXIT; fi

# Building tools takes all cores for minutes: before the tests, not beside them. What cannot be had is said, and its tests say
# it again.
bash scripts/install-tools.sh || true
# The end-to-end tests start services from what was compiled: once, before several of them find it old.
node_modules/.bin/tsc -b || true
CLOSING_LINE_FILE=$line_file bash scripts/jest.sh "$@"
status=$?
if [ ! -s "$line_file" ]; then
  echo '0 passed, 1 failed' | tee "$line_file"
  [ "$status" -ne 0 ] || status=1
fi
exit "$status"
