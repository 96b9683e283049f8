#!/usr/bin/env bash
# Checks the chart in helm/ by tools, each check by name; any finding ends it with status 1.
#   scripts/helm-test.sh               all checks
#   scripts/helm-test.sh lint docs     these
# A check whose tool is not there and cannot be had (scripts/install-tools.sh says why) is `skipped: tool missing`.
set -uo pipefail
cd "$(dirname "$0")/.." || exit 1
export PATH="$PWD/node_modules/.bin:$PWD/.tools/bin:$PATH"

all=(lint template schema unittest values kubernetes custom-resources docs policy)
# The oldest Kubernetes that Chart.yaml allows, and the newest whose schemas there are.
kubernetes_versions=(1.31.0 1.37.0)
custom_kinds=HTTPRoute,Middleware,PodMonitor,ScaledObject,ServiceMonitor
if compgen -G 'helm/alerts/*.yaml' >/dev/null; then custom_kinds+=,PrometheusRule; fi
rendered=$(mktemp -d)
trap 'rm -rf "$rendered"' EXIT

# What a check needs beside Node.
tools_of() {
  case $1 in
    unittest) echo helm-unittest ;;
    values) ;;
    kubernetes) echo helm kubeconform kubernetes-schemas ;;
    custom-resources) echo helm custom-resources ;;
    docs) echo helm-docs ;;
    policy) echo helm kube-score ;;
    *) echo helm ;;
  esac
}

is_there() {
  case $1 in
    kubernetes-schemas | custom-resources) [ -d ".tools/$1" ] ;;
    *) command -v "$1" >/dev/null 2>&1 ;;
  esac
}

# Renders helm/ci/NAME.yaml as it would be installed.
render() { helm template memory helm --namespace memory --values "$1"; }

check_lint() {
  helm lint --strict --quiet helm || return 1
  local values
  for values in helm/ci/*.yaml; do helm lint --strict --quiet helm --values "$values" || return 1; done
}

check_template() {
  local values
  for values in helm/ci/*.yaml; do
    render "$values" >"$rendered/out.yaml" || return 1
    # Something that was rendered to nothing, or to words of the template language.
    if grep -nE '<no value>|%!|<nil>' "$rendered/out.yaml"; then return 1; fi
  done
}

# A misspelt key, wherever it is, is refused and named.
check_schema() {
  local key said
  for key in replica=2 image.tagg=1 api.replica=2 workers.ocrr.replicas=1 workers.ocr.resources.limits.memry=1Gi \
    tierDefaults.autoscaling.max=3 networkPolicy.egress.model=1 ingress.host=a redis.urll=x monitoring.serviceMonitor.on=true; do
    if said=$(helm template memory helm --set "$key" 2>&1); then
      echo "--set $key was taken"
      return 1
    fi
    case $said in *"additional properties '"*) ;; *) echo "--set $key: $said"; return 1 ;; esac
  done
}

check_unittest() { helm-unittest --strict helm; }

check_values() { node --conditions=development scripts/helm/check-values.ts; }

check_kubernetes() {
  local values version
  for values in helm/ci/*.yaml; do
    render "$values" >"$rendered/$(basename "$values")" || return 1
  done
  for version in "${kubernetes_versions[@]}"; do
    kubeconform -strict -summary -kubernetes-version "$version" -skip "$custom_kinds" \
      -schema-location '.tools/kubernetes-schemas/{{.NormalizedKubernetesVersion}}-standalone{{.StrictSuffix}}/{{.ResourceKind}}{{.KindSuffix}}.json' \
      "$rendered" || return 1
  done
}

check_custom-resources() {
  local values
  for values in helm/ci/*.yaml; do render "$values" || return 1; done |
    node --conditions=development scripts/helm/check-custom-resources.ts "$custom_kinds"
}

check_docs() {
  if ! diff helm/README.md <(helm-docs --chart-search-root helm --dry-run --log-level warning); then
    echo 'helm/README.md is not what values.yaml and README.md.gotmpl make: run helm-docs --chart-search-root helm'
    return 1
  fi
}

# kube-score ends with status 1 where a finding is critical. Warnings are shown.
check_policy() {
  render helm/ci/production.yaml >"$rendered/out.yaml" || return 1
  kube-score score --output-format ci "$rendered/out.yaml" >"$rendered/score" || { grep '^.CRITICAL' "$rendered/score"; return 1; }
  grep '^.WARNING' "$rendered/score" || true
}

[ $# -gt 0 ] || set -- "${all[@]}"
checks=("$@")
# shellcheck disable=SC2046 # words are wanted
bash scripts/install-tools.sh $(for name in "${checks[@]}"; do tools_of "$name"; done | tr ' ' '\n' | sort -u)

failed=()
for name in "${checks[@]}"; do
  missing=()
  for tool in $(tools_of "$name"); do is_there "$tool" || missing+=("$tool"); done
  if [ "${#missing[@]}" -gt 0 ]; then
    echo "helm-test: $name skipped: tool missing: ${missing[*]}"
  elif "check_$name"; then
    echo "helm-test: $name ok"
  else
    echo "helm-test: $name FAILED"
    failed+=("$name")
  fi
done
[ "${#failed[@]}" -eq 0 ]
