#!/usr/bin/env bash
# Removes what was compiled and measured. Folder by folder: a pattern such as */*/dist would follow the links that
# node_modules holds. Packages (node_modules, .tools) and data (.data) stay.
set -euo pipefail
cd "$(dirname "$0")/.."
for folder in apps/* packages/*; do rm -rf "${folder:?}/dist" "${folder:?}/.turbo"; done
rm -rf coverage .turbo node_modules/.cache
