#!/usr/bin/env bash
# Packs the chart as NAME-VERSION.tgz into the folder that is given.
set -euo pipefail
cd "$(dirname "$0")/.."
export PATH="$PWD/.tools/bin:$PATH"
out=${1:?a folder for the package}
scripts/bump-version --check
helm lint --strict helm --values helm/ci/production.yaml
helm package helm --destination "$out"
