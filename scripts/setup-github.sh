#!/usr/bin/env bash
# See scripts/setup-github.ts; `scripts/setup-github.sh --help` tells its options.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
bash "$root/scripts/setup.sh"
exec "$root/node_modules/.bin/node" --conditions=development "$root/scripts/setup-github.ts" "$@"
