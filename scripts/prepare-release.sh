#!/usr/bin/env bash
# Bumps the version where RELEASE_STEP says so (major, minor, patch, a version; as-is keeps it), asks the guard, and pushes a
# bump as the branch release-prep/vX.Y.Z. RELEASE_CONFIRM is the version typed out. What follows works on the commit that it
# tells as `ref`, beside `version` and `candidate`: on the standard output, and in GITHUB_OUTPUT.
set -euo pipefail
cd "$(git rev-parse --show-toplevel)"
scripts=$(cd "$(dirname "$0")" && pwd)
step=${RELEASE_STEP:?major, minor, patch, a version or as-is}
branch=${GITHUB_REF_NAME:-$(git rev-parse --abbrev-ref HEAD)}

if [ "$step" != as-is ]; then "$scripts/bump-version" "$step" --root "$PWD" >&2; else bash "$scripts/setup.sh" >&2; fi
outputs=$("$scripts/../node_modules/.bin/node" --conditions=development "$scripts/release-guard.ts" \
  --confirm "${RELEASE_CONFIRM:?the version typed out}" --branch "$branch")
if [ "$step" != as-is ]; then
  prepared=release-prep/v$RELEASE_CONFIRM
  git switch --quiet --create "$prepared"
  git -c user.name='release' -c user.email='release@users.noreply.github.com' \
    commit --quiet --all --message "chore(release): v$RELEASE_CONFIRM"
  git push --quiet origin "$prepared"
fi
printf '%s\nref=%s\n' "$outputs" "$(git rev-parse HEAD)" | tee -a "${GITHUB_OUTPUT:-/dev/null}"
