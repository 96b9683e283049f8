#!/usr/bin/env bash
# Builds the image of an app (api or worker) as semantic-memory-APP:TAG, with Docker or with buildah, whichever is there.
#   scripts/build-image.sh APP [TAG]     TAG is "test" unless given
# BASE_IMAGE is what it is built on, instead of the public image of Node.js.
set -euo pipefail
cd "$(dirname "$0")/.."
app=${1:?api or worker}
image=semantic-memory-$app:${2:-test}
arguments=(--file "apps/$app/Dockerfile" --tag "$image")
if [ -n "${BASE_IMAGE:-}" ]; then arguments+=(--build-arg "BASE=$BASE_IMAGE"); fi
if docker info >/dev/null 2>&1; then
  docker build "${arguments[@]}" .
elif command -v buildah >/dev/null 2>&1; then
  buildah build --format docker "${arguments[@]}" .
else
  echo 'build-image: neither a running Docker nor buildah is on this machine' >&2
  exit 1
fi
echo "build-image: $image"
