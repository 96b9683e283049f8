#!/usr/bin/env bash
# Known vulnerabilities in what the service runs on: a high or critical one fails.
set -euo pipefail
cd "$(dirname "$0")/.."
bash scripts/setup.sh
exec .tools/bin/pnpm audit --prod --audit-level high
