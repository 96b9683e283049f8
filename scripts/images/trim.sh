#!/usr/bin/env bash
# Removes from a deployed app what never runs in its image: builds of libraries for other systems, a database server that a client
# brings along, sources beside what was compiled from them, and in the API what only workers do.
#   scripts/images/trim.sh api|worker FOLDER
set -euo pipefail
app=${1:?api or worker}
folder=${2:?the folder of the app}
packages=$folder/node_modules/.pnpm
arch=$(node -p process.arch)

# Each must be there, or else it has moved and the image would grow unseen.
remove() {
  local found=("$@")
  [ -e "${found[0]}" ] || { echo "trim: there is no ${found[0]}" >&2 && exit 1; }
  rm -rf "${found[@]}"
}

shopt -s nullglob
runtime=("$packages"/onnxruntime-node@*/node_modules/onnxruntime-node/bin/napi-v*)
[ ${#runtime[@]} -eq 1 ] || { echo 'trim: onnxruntime-node is not where it was' >&2 && exit 1; }
[ -d "${runtime[0]}/linux/$arch" ] || { echo "trim: onnxruntime-node has no build for linux/$arch" >&2 && exit 1; }
for build in "${runtime[0]}"/*/*; do
  if [ "$build" != "${runtime[0]}/linux/$arch" ]; then rm -rf "$build"; fi
done
# The server of Chroma, for its command line: we are a client.
remove "$packages"/chromadb-js-bindings-*
if [ "$app" = api ]; then
  # Pictures are read by workers.
  remove "$packages"/tesseract.js-core@*/node_modules/tesseract.js-core/*.wasm*
  remove "$packages"/@tesseract.js-data+eng@*/node_modules/@tesseract.js-data/eng/4*
fi

find "$folder" -type f \( -name '*.d.ts' -o -name '*.d.mts' -o -name '*.d.cts' -o -name '*.map' -o -name '*.tsbuildinfo' \) -delete
# Sources of our own packages: what runs is in dist.
find "$folder/src" "$packages"/@semantic-memory+*/node_modules/@semantic-memory/*/src -type f -name '*.ts' -delete
