#!/usr/bin/env bash
# Every check that reads the code without running it. All of them run; any finding ends it with status 1.
set -uo pipefail
cd "$(dirname "$0")/.." || exit 1
export PATH="$PWD/node_modules/.bin:$PATH"

failed=()
check() {
  local name=$1
  shift
  "$@" || failed+=("$name")
}

# Formatting, imports and suspicious code.
colors=off
if [ -t 1 ]; then colors=force; fi
check biome biome ci --colors="$colors" --error-on-warnings .
# Layers and cycles.
check depcruise depcruise --config .dependency-cruiser.cjs packages apps scripts
# Code, exports and dependencies that nobody uses.
check knip knip --no-progress
# .env.example and the variables that the code reads.
check check-env node --conditions=development scripts/check-env.ts
# Pages of docs that follow from the code.
check docs node --conditions=development scripts/write-docs.ts --check
if command -v shellcheck >/dev/null 2>&1; then
  check shellcheck shellcheck .ci/run scripts/*.sh scripts/images/*.sh scripts/check-env scripts/bump-version
else
  echo 'lint: shellcheck is not installed, shell scripts were not checked' >&2
fi

if [ "${#failed[@]}" -gt 0 ]; then
  echo "lint: findings of ${failed[*]}" >&2
  exit 1
fi
