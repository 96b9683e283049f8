#!/usr/bin/env bash
# Deploys the chart to staging, shows that it works by ingest, search and rag, and takes it back where it does not.
#
#   scripts/deploy_staging.sh [options]
#     --tag TAG          of the images; default: the chart's appVersion
#     --values FILE      the overrides; default helm/ci/staging.yaml. May be given more than once
#     --release NAME     default semantic-memory
#     --namespace NAME   default semantic-memory-staging
#     --canary-weight N  percent (0 to 100) of the requests to an API of --tag, beside the one in service, which stays as it
#                        is; 0 ends the canary. Without it everything is deployed
#     --url URL          the service as it is reached from here; default: a port-forward to its API
#     --timeout TIME     for the roll-out, as helm takes it; default 10m
#
# SEMANTIC_MEMORY_TOKEN is the token for the check, else one is made from JWT_SECRET. helm and kubectl speak to the cluster
# of the current context. Exit status: 0 it is deployed and works; 1 it is not, and what was there before is back.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)

usage() { sed -n '2,/^set /p' "$0" | sed '$d' | sed 's/^# \{0,1\}//' >&2; }
say() { printf 'deploy: %s\n' "$*" >&2; }
fail() {
  say "$1"
  exit 2
}

tag='' release=semantic-memory namespace=semantic-memory-staging weight='' url='' timeout=10m values=()
while [ $# -gt 0 ]; do
  case "$1" in
  --help | -h) usage && exit 0 ;;
  --tag | --values | --release | --namespace | --canary-weight | --url | --timeout)
    [ $# -ge 2 ] || fail "$1 needs a value"
    case "$1" in
    --tag) tag=$2 ;;
    --values) values+=("$2") ;;
    --release) release=$2 ;;
    --namespace) namespace=$2 ;;
    --canary-weight) weight=$2 ;;
    --url) url=$2 ;;
    --timeout) timeout=$2 ;;
    esac
    shift 2
    ;;
  *) usage && fail "there is no option $1" ;;
  esac
done
if [ -n "$weight" ]; then
  [[ "$weight" =~ ^(0|[1-9][0-9]?|100)$ ]] || fail "--canary-weight is a whole number from 0 to 100, not $weight"
  [ -n "$tag" ] || [ "$weight" -eq 0 ] || fail '--canary-weight needs the --tag that is tried'
fi
[ ${#values[@]} -gt 0 ] || values=("$root/helm/ci/staging.yaml")
for tool in helm kubectl; do command -v "$tool" >/dev/null 2>&1 || fail "$tool is not on the PATH (scripts/install-tools.sh brings it)"; done

files=()
for file in "${values[@]}"; do
  [ -f "$file" ] || fail "there is no file $file"
  files+=(--values "$file")
done

bash "$root/scripts/setup.sh"
node() { "$root/node_modules/.bin/node" "$@"; }

# The revision that is in service; none before the first install.
deployed=''
if history=$(helm history "$release" --namespace "$namespace" --output json 2>&1); then
  deployed=$(node -p "JSON.parse(process.argv[1]).findLast(({ status }) => status === 'deployed')?.revision ?? ''" "$history")
elif [[ "$history" != *'not found'* ]]; then
  fail "helm cannot ask the cluster: $history"
fi

changes=()
if [ -z "$weight" ]; then
  [ -z "$tag" ] || changes+=(--set-string "image.tag=$tag")
  # Whatever was tried is over: this is deployed to all.
  changes+=(--set canary.enabled=false)
else
  [ -n "$deployed" ] || fail "there is no release $release in $namespace that a canary could stand beside"
  # What is in service stays as it is.
  files=()
  changes+=(--reuse-values)
  if [ "$weight" -eq 0 ]; then
    changes+=(--set canary.enabled=false)
  else
    changes+=(--set canary.enabled=true --set "canary.weight=$weight" --set-string "canary.tag=$tag")
  fi
fi

forward=''
stop_forward() {
  if [ -n "$forward" ]; then
    kill "$forward" 2>/dev/null || true
    wait "$forward" 2>/dev/null || true
  fi
  forward=''
}
trap stop_forward EXIT

take_back() {
  say "$1"
  stop_forward
  if [ -n "$deployed" ]; then
    say "taking back revision $deployed"
    helm rollback "$release" "$deployed" --namespace "$namespace" --wait --timeout "$timeout" ||
      say "THE ROLLBACK FAILED: $release in $namespace needs a person (helm history $release --namespace $namespace)"
  else
    say 'there is nothing to take back: the first install stays for a look (helm status, kubectl describe)'
  fi
  exit 1
}

say "deploying $release to $namespace${tag:+ with $tag}${weight:+, canary weight $weight}"
helm upgrade "$release" "$root/helm" --install --create-namespace --namespace "$namespace" \
  ${files[@]+"${files[@]}"} "${changes[@]}" --wait --timeout "$timeout" || take_back 'the roll-out failed'
kubectl rollout status deployment --namespace "$namespace" --selector "app.kubernetes.io/instance=$release" \
  --timeout "$timeout" || take_back 'the pods did not become ready'

# The canary is checked by itself: through the front door most requests would go past it.
if [ -z "$url" ]; then
  component=api
  if [ -n "$weight" ] && [ "$weight" -gt 0 ]; then component=api-canary; fi
  service=$(kubectl get service --namespace "$namespace" --output name \
    --selector "app.kubernetes.io/instance=$release,app.kubernetes.io/component=$component") || take_back 'the cluster cannot be asked for the API'
  [ -n "$service" ] || take_back "there is no service of the component $component"
  port=$((20000 + RANDOM % 20000))
  kubectl port-forward --namespace "$namespace" "$service" "$port:http" >/dev/null &
  forward=$!
  url=http://127.0.0.1:$port
  for _ in $(seq 60); do
    (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null && break
    sleep 0.5
  done
fi
say "checking ingest, search and rag at $url"
node --conditions=development "$root/scripts/ingest-smoke.ts" --sanity --url "$url" ||
  take_back 'ingest, search or rag does not work'
say "$release works"
