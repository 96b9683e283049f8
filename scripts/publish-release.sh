#!/usr/bin/env bash
# Tags the commit that is checked out as vX.Y.Z and publishes the release with its section of CHANGELOG.md; a bump that was made
# for it is proposed to RELEASE_BASE, the branch that it was asked for on. Needs gh with a token that may write.
set -euo pipefail
cd "$(git rev-parse --show-toplevel)"
scripts=$(cd "$(dirname "$0")" && pwd)
bash "$scripts/setup.sh"
node=$scripts/../node_modules/.bin/node
version=$("$node" -p "JSON.parse(require('node:fs').readFileSync('package.json', 'utf8')).version")
notes=$(mktemp)
trap 'rm -f "$notes"' EXIT
"$node" --conditions=development "$scripts/release-guard.ts" --notes >"$notes"

candidate=()
case "$version" in *-rc.*) candidate=(--prerelease) ;; esac
gh release create "v$version" --target "$(git rev-parse HEAD)" --title "v$version" --notes-file "$notes" ${candidate[@]+"${candidate[@]}"}

prepared=release-prep/v$version
if git ls-remote --exit-code --heads origin "$prepared" >/dev/null; then
  gh pr create --base "${RELEASE_BASE:?the branch that the release was asked for on}" --head "$prepared" \
    --title "chore(release): v$version" --body "The version and the changelog of v$version, as released."
fi
