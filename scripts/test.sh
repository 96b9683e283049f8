#!/usr/bin/env bash
# Runs every test. Whatever happens, the last line is `N passed, N failed`, also where the run broke off before a test.
set -uo pipefail
cd "$(dirname "$0")/.." || exit 1

line_file=${CLOSING_LINE_FILE:-$(mktemp)}
lines=$(mktemp -d)
trap 'rm -rf "$lines"; [ -n "${CLOSING_LINE_FILE:-}" ] || rm -f "$line_file"' EXIT
: >"$line_file"
status=0

run_jest() {
  local line=$lines/$1
  shift
  CLOSING_LINE_FILE=$line bash scripts/jest.sh "$@" || status=1
  [ -s "$line" ] || { status=1 && echo '0 passed, 1 failed' >"$line"; }
}

# Building tools takes all cores for minutes: before the tests, not beside them. What cannot be had is said, and its tests say
# it again.
bash scripts/install-tools.sh || true
# The end-to-end tests start services from what was compiled: once, before several of them find it old.
node_modules/.bin/tsc -b || true

# Tests of these start whole services, and wait for much of their time.
stories=(apps/e2e apps/worker scripts)
# These load every core for minutes: one at a time, with the machine to itself.
alone=(scripts/images/images.test.ts scripts/bootstrap/sample-library.test.ts apps/e2e/src/stories/chaos.test.ts)
modules=(packages)
for app in apps/*; do
  [[ " ${stories[*]} " == *" $app "* ]] || modules+=("$app")
done
run_jest modules --maxWorkers=2 --roots "${modules[@]}"
run_jest stories --maxWorkers=2 --roots "${stories[@]}" --testPathIgnorePatterns /node_modules/ /dist/ "${alone[@]}"
run_jest alone --maxWorkers=1 --runTestsByPath "${alone[@]}"

awk '
  { passed += $1; failed += $3; skipped += $5 }
  END { printf "%d passed, %d failed%s\n", passed, failed, (skipped > 0) ? sprintf(", %d skipped", skipped) : "" }
' "$lines"/* | tee "$line_file"
exit "$status"
