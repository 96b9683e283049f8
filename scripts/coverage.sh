#!/usr/bin/env bash
# Which lines of packages and apps are reached by the tests that lie beside them. Stories start services as processes of their own,
# where nothing is counted, so they are left to scripts/test.sh. Arguments go to jest.
set -euo pipefail
cd "$(dirname "$0")/.."

exec bash scripts/jest.sh "$@" --coverage --maxWorkers=2 --roots packages apps \
  --testPathIgnorePatterns /node_modules/ /dist/ apps/e2e/ apps/bench/ apps/worker/src/faults.test.ts
