#!/usr/bin/env bash
# Renders the chart with every values file of helm/ci, each to NAME.yaml in the folder that is given, for scanners.
set -euo pipefail
cd "$(dirname "$0")/.."
export PATH="$PWD/.tools/bin:$PATH"
out=${1:?a folder for the manifests}
mkdir -p "$out"
for values in helm/ci/*.yaml; do
  helm template semantic-memory helm --namespace semantic-memory --values "$values" >"$out/$(basename "$values")"
done
