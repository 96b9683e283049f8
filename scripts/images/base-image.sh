#!/usr/bin/env bash
# Makes what the images can be built on where no registry of images is reached: a minimal Debian from its own packages, with the
# project's Node.js and the npm of this machine. Says its name. What is there already costs nothing. For root, with buildah and
# debootstrap.
#   BASE_IMAGE=$(scripts/images/base-image.sh) scripts/build-image.sh api
set -euo pipefail
cd "$(dirname "$0")/../.."
node=$(readlink -f node_modules/.bin/node)
npm=$(dirname "$(dirname "$(readlink -f "$(command -v npm)")")")
image=localhost/semantic-memory-base:node-$("$node" -p process.versions.node)
echo "$image"
if buildah inspect --type image "$image" >/dev/null 2>&1; then exit 0; fi

container=$(buildah from scratch)
trap 'buildah rm "$container" >/dev/null' EXIT
root=$(buildah mount "$container")
debootstrap --variant=minbase bookworm "$root" >&2
rm -rf "$root"/var/cache/apt/* "$root"/var/lib/apt/lists/* "$root"/usr/share/{doc,locale,man}/*
cp "$node" "$root/usr/local/bin/"
mkdir -p "$root/usr/local/lib/node_modules"
cp -R "$npm" "$root/usr/local/lib/node_modules/npm"
ln -s ../lib/node_modules/npm/bin/npm-cli.js "$root/usr/local/bin/npm"
ln -s ../lib/node_modules/npm/bin/npx-cli.js "$root/usr/local/bin/npx"
# Whom this machine trusts, so that packages can be fetched from behind its proxy.
trusted=/usr/local/share/trusted-by-the-builder.pem
cp -L /etc/ssl/certs/ca-certificates.crt "$root$trusted"
buildah umount "$container" >/dev/null
buildah config --env "NODE_EXTRA_CA_CERTS=$trusted" --env "SSL_CERT_FILE=$trusted" \
  --env PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin "$container"
buildah commit --quiet --format docker "$container" "$image" >&2
