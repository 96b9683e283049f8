#!/usr/bin/env bash
# Pushes the one packed chart in the folder that is given to the OCI repository CHART_REPOSITORY (such as ghcr.io/owner/charts),
# where one has logged in. Tells `name` and `digest` of it: on the standard output, and in GITHUB_OUTPUT.
set -euo pipefail
cd "$(dirname "$0")/.."
export PATH="$PWD/.tools/bin:$PATH"
packed=("${1:?the folder with the package}"/*.tgz)
[ ${#packed[@]} -eq 1 ] || { echo "push-chart: there must be one package in $1" >&2 && exit 1; }
# Repositories are named in small letters.
repository=$(tr '[:upper:]' '[:lower:]' <<<"${CHART_REPOSITORY:?such as ghcr.io/owner/charts}")
said=$(helm push "${packed[0]}" "oci://$repository" 2>&1) || { echo "$said" >&2 && exit 1; }
echo "$said" >&2
digest=$(sed -n 's/^Digest: *//p' <<<"$said")
name=$(sed -n 's/^Pushed: *\(.*\):[^:]*$/\1/p' <<<"$said")
[ -n "$digest" ] && [ -n "$name" ] || { echo 'push-chart: helm did not say what it pushed' >&2 && exit 1; }
printf 'name=%s\ndigest=%s\n' "$name" "$digest" | tee -a "${GITHUB_OUTPUT:-/dev/null}"
