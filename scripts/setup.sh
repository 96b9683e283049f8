#!/usr/bin/env bash
# Brings what the other commands need, once: pnpm under .tools, all packages, and with them the project's own Node.
# Nothing changed since the last time: it ends at once. Two at a time are safe. Works with the bash 3.2 of macOS.
set -euo pipefail
cd "$(dirname "$0")/.."

NODE_NEEDED=20
log=.tools/setup.log
lock=.tools/setup.lock
stamp=node_modules/.setup-stamp

fail() {
  printf 'setup: %s\n' "$1" >&2
  exit 1
}

command -v node >/dev/null 2>&1 || fail "Node.js $NODE_NEEDED or newer is needed and there is no 'node' on the PATH. Install it (your package manager's nodejs, or nodejs.org) and run this again."
command -v npm >/dev/null 2>&1 || fail "npm is needed to fetch packages and there is no 'npm' on the PATH. It comes with Node.js; on Debian and Ubuntu it is the package 'npm'."
node_version=$(node --version)
node_major=${node_version#v}
node_major=${node_major%%.*}
[ "$node_major" -ge "$NODE_NEEDED" ] || fail "Node.js $NODE_NEEDED or newer is needed, this is $node_version ($(command -v node)). Install a newer one and run this again."
mkdir -p .tools 2>/dev/null || true
[ -w .tools ] || fail "cannot write to $PWD/.tools: clone the repository to a folder of your own."

# Node is not in it: the one that everything runs on comes from the lockfile, whichever is on the PATH.
fingerprint() {
  uname -sm
  cat pnpm-lock.yaml pnpm-workspace.yaml package.json apps/*/package.json packages/*/package.json scripts/pnpm/package-lock.json | cksum
}
is_done() {
  [ -x node_modules/.bin/node ] && [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$wanted" ]
}
is_alive() { [ -d "/proc/$1" ] || kill -0 "$1" 2>/dev/null; }

wanted=$(fingerprint)
if is_done; then exit 0; fi

take_lock() {
  local holder said=''
  until mkdir "$lock" 2>/dev/null; do
    holder=$(cat "$lock/pid" 2>/dev/null || true)
    if [ -n "$holder" ] && ! is_alive "$holder"; then
      # Left behind by a killed run. Renaming is atomic: of several that see it, one takes it away.
      if mv "$lock" "$lock.stale.$$" 2>/dev/null; then rm -rf "$lock.stale.$$"; fi
      continue
    fi
    [ -n "$said" ] || printf 'setup: waiting for another setup in this folder (process %s)\n' "${holder:-unknown}" >&2
    said=yes
    sleep 1
  done
  echo $$ >"$lock/pid"
  trap 'rm -rf "$lock"' EXIT
  trap 'exit 130' INT
  trap 'exit 143' TERM
}

# Runs a command into the log; where it fails, shows the end of it and says what to do.
quietly() {
  local advice=$1
  shift
  if ! "$@" >"$log" 2>&1 </dev/null; then
    tail -n 20 "$log" >&2
    if grep -qE 'ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH|network|dns error|error sending request' "$log"; then
      fail "the package registry cannot be reached. Check the network, or the proxy and registry settings of npm ('npm config list'), and run this again."
    fi
    fail "$advice (the whole output: $PWD/$log)"
  fi
}

install_pnpm() {
  # Named after what it holds, filled beside it and renamed at the end: what is there is complete.
  local target
  target=.tools/pnpm-$(cksum <scripts/pnpm/package-lock.json | cut -d ' ' -f 1)
  if [ ! -d "$target" ]; then
    rm -rf .tools/pnpm.partial
    mkdir .tools/pnpm.partial
    cp scripts/pnpm/package.json scripts/pnpm/package-lock.json .tools/pnpm.partial/
    quietly 'pnpm could not be installed' npm ci --prefix .tools/pnpm.partial --ignore-scripts --no-audit --no-fund
    mv .tools/pnpm.partial "$target"
  fi
  # Its own binary where there is one for this system: the script in front of it only looks for it.
  local binary=$target/node_modules/.bin/pnpm
  for native in "$target"/node_modules/@pnpm/exe.*/pnpm; do
    if [ -x "$native" ]; then binary=$native; fi
  done
  mkdir -p .tools/bin
  ln -sf "../../$binary" .tools/bin/pnpm
}

take_lock
wanted=$(fingerprint)
if is_done; then exit 0; fi
started=$(date +%s)
printf 'setup: installing packages (about a minute the first time)\n' >&2
install_pnpm
# CI: nothing may ask a question, also where node_modules was made by something else.
quietly 'the packages could not be installed' env CI=true .tools/bin/pnpm install --frozen-lockfile --prefer-offline
[ -x node_modules/.bin/node ] || fail "the project's Node was not installed: there may be no build of it for $(uname -sm)."
printf '%s\n' "$wanted" >"$stamp"
printf 'setup: done in %s s\n' "$(($(date +%s) - started))" >&2
