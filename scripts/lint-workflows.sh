#!/usr/bin/env bash
# Checks the workflows of .github with actionlint. Status 3: it cannot be had on this machine.
set -euo pipefail
cd "$(dirname "$0")/.."
bash scripts/install-tools.sh actionlint || {
  echo 'workflows: skipped: tool missing: actionlint' >&2
  exit 3
}
exec .tools/bin/actionlint -color=false -shellcheck= -pyflakes= .github/workflows/*.yml
