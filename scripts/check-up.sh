#!/usr/bin/env bash
# Starts `make up` as a newcomer would, waits until it runs, and stops it as Ctrl-C does. Its data is thrown away.
set -euo pipefail
cd "$(dirname "$0")/.."
seconds=${UP_SECONDS:-900}
data=$(mktemp -d)
output=$data/output
trap 'rm -rf "$data"' EXIT

# A group of its own, so that the interrupt reaches what a terminal's would.
set -m
DATA_DIR=$data/memory PORT=0 METRICS_PORT=0 make up >"$output" 2>&1 </dev/null &
up=$!
set +m
for _ in $(seq "$seconds"); do
  if grep -q '^running' "$output" || ! kill -0 "$up" 2>/dev/null; then break; fi
  sleep 1
done
running=$(grep -c '^running' "$output" || true)
kill -INT -- "-$up" 2>/dev/null || true
status=0
wait "$up" || status=$?
cat "$output"
if [ "$running" -eq 0 ]; then
  echo "check-up: it did not run within $seconds s" >&2
  exit 1
fi
# 130, and make's 2: it was interrupted, as it should be.
case "$status" in
0 | 2 | 130) echo 'check-up: it ran, and stopped when it was asked to' ;;
*)
  echo "check-up: it ended with status $status" >&2
  exit 1
  ;;
esac
