#!/usr/bin/env bash
# Is docker-compose.yml valid, without a profile and with each? Asks docker compose, or where there is none the library that it
# reads the file with. Status 3: neither can be had on this machine.
set -euo pipefail
cd "$(dirname "$0")/.."
export JWT_SECRET=${JWT_SECRET:-a-value-for-tests-and-nothing-else}
if docker compose version >/dev/null 2>&1; then
  by='docker compose'
  config() { docker compose "${@/#/--profile=}" config --quiet; }
else
  by=compose-go
  bash scripts/install-tools.sh compose-config || {
    echo 'compose: skipped: tool missing: docker compose, compose-config' >&2
    exit 3
  }
  config() { .tools/bin/compose-config "$@" >/dev/null; }
fi
config
echo "compose: valid without a profile, by $by"
for profile in $(sed -n 's/^ *profiles: \[\(.*\)\]$/\1/p' docker-compose.yml | tr -d ',' | tr ' ' '\n' | sort -u); do
  config "$profile"
  echo "compose: valid with profile $profile, by $by"
done
