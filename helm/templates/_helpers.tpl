{{/* Labels that select: they never change during a release's life. Takes root and component. */}}
{{- define "memory.selector" -}}
app.kubernetes.io/name: semantic-memory
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .component }}
{{- end }}

{{- define "memory.labels" -}}
{{ include "memory.selector" . }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version | replace "+" "_" }}
{{- end }}

{{- define "memory.name" -}}
{{ printf "%s-%s" .root.Release.Name .component | trunc 63 | trimSuffix "-" }}
{{- end }}

{{/* Name of something of this release that is no component of its own. Takes root and component. */}}
{{- define "memory.serviceAccount" -}}
{{ .Values.serviceAccount.name | default (include "memory.name" (dict "root" . "component" "pods")) }}
{{- end }}

{{- define "memory.secret" -}}
{{ .Values.existingSecret | default (include "memory.name" (dict "root" . "component" "secrets")) }}
{{- end }}

{{/* tierDefaults with what the tier itself says over them, as YAML. Takes root and own. */}}
{{- define "memory.tier" -}}
{{ toYaml (mergeOverwrite (deepCopy .root.Values.tierDefaults) (deepCopy (.own | default dict))) }}
{{- end }}

{{/* Fewest pods that a tier (as YAML object) runs with. */}}
{{- define "memory.fewest" -}}
{{ if .autoscaling.enabled }}{{ .autoscaling.minReplicas }}{{ else }}{{ .replicas }}{{ end }}
{{- end }}

{{/* Components of api and workers, as a YAML list. */}}
{{- define "memory.components" -}}
- api
{{- if .Values.canary.enabled }}
- api-canary
{{- end }}
{{- range $tier, $_ := .Values.workers }}
- worker-{{ $tier }}
{{- end }}
{{- end }}

{{/* Whether there is a Redis, a Chroma in the chart: "true" or nothing. */}}
{{- define "memory.bundlesRedis" -}}
{{ if not (or .Values.redis.url .Values.redis.existingSecret.name) }}true{{ end }}
{{- end }}

{{- define "memory.bundlesChroma" -}}
{{ if not .Values.chroma.host }}true{{ end }}
{{- end }}

{{/* A variable from a key of a Secret. Takes name, secret, key and optional. */}}
{{- define "memory.secretVariable" -}}
- name: {{ .name }}
  valueFrom:
    secretKeyRef:
      name: {{ .secret }}
      key: {{ .key }}
      {{- if .optional }}
      optional: true
      {{- end }}
{{- end }}
