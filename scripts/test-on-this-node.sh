#!/usr/bin/env bash
# Runs every test on the Node.js that is on the PATH instead of the project's own.
set -euo pipefail
cd "$(dirname "$0")/.."
TEST_NODE=$(command -v node)
export TEST_NODE
exec make test
