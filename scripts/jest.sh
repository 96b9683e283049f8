#!/usr/bin/env bash
# Runs jest as native ESM on the project's own Node, or on TEST_NODE. Arguments go to jest.
set -euo pipefail
cd "$(dirname "$0")/.."
export PATH="$PWD/node_modules/.bin:$PATH"
# For the many services that tests start.
export NODE_COMPILE_CACHE=${NODE_COMPILE_CACHE:-$PWD/node_modules/.cache/compiled}
exec "${TEST_NODE:-node}" --conditions=development --experimental-vm-modules --disable-warning=ExperimentalWarning node_modules/jest/bin/jest.js "$@"
