{{/*
A Deployment of the API or of a tier. Takes root, component, image (api or worker), tag, tier (merged, see memory.tier),
replicas (where nothing scales) and tierName (of a worker).
*/}}
{{- define "memory.deployment" -}}
{{- $root := .root }}
{{- $tier := .tier }}
{{- $isApi := eq .image "api" }}
{{- $drain := int ($tier.drainSeconds | default 0) }}
{{- $needed := add $drain $tier.jobBudgetSeconds 30 }}
{{- if lt (int $tier.terminationGracePeriodSeconds) (int $needed) }}
{{- fail (printf "%s: terminationGracePeriodSeconds is %d, and must be %d at least: jobBudgetSeconds%s and 30 s to close" .component (int $tier.terminationGracePeriodSeconds) (int $needed) (ternary ", drainSeconds" "" $isApi)) }}
{{- end }}
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ include "memory.name" . }}
  labels: {{- include "memory.labels" . | nindent 4 }}
spec:
  {{- if not (and $tier.autoscaling.enabled .scaled) }}
  replicas: {{ .replicas }}
  {{- end }}
  revisionHistoryLimit: 5
  strategy:
    type: RollingUpdate
    rollingUpdate: { maxUnavailable: 0, maxSurge: 1 }
  selector:
    matchLabels: {{- include "memory.selector" . | nindent 6 }}
  template:
    metadata:
      labels:
        {{- include "memory.labels" . | nindent 8 }}
        {{- if .tierName }}
        semantic-memory/process: worker
        {{- else }}
        semantic-memory/process: api
        {{- end }}
        {{- with $tier.podLabels }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
      annotations:
        checksum/config: {{ include (print $root.Template.BasePath "/config.yaml") $root | sha256sum }}
        checksum/secrets: {{ toJson $root.Values.secrets | sha256sum }}
        {{- with $tier.podAnnotations }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
    spec:
      {{- include "memory.placing" (dict "part" . "tier" $tier) | trim | nindent 6 }}
      {{- include "memory.podSecurity" $root | nindent 6 }}
      serviceAccountName: {{ if or $root.Values.serviceAccount.create $root.Values.serviceAccount.name }}{{ include "memory.serviceAccount" $root }}{{ else }}default{{ end }}
      terminationGracePeriodSeconds: {{ $tier.terminationGracePeriodSeconds }}
      containers:
        - name: {{ .image }}
          image: {{ $root.Values.image.prefix }}{{ .image }}:{{ .tag | default $root.Values.image.tag | default $root.Chart.AppVersion }}
          imagePullPolicy: {{ $root.Values.image.pullPolicy }}
          securityContext: {{- toYaml $root.Values.containerSecurityContext | nindent 12 }}
          envFrom:
            - configMapRef:
                name: {{ include "memory.name" (dict "root" $root "component" "config") }}
          env: {{- include "memory.variables" . | trim | nindent 12 }}
          ports:
            {{- if $isApi }}
            - { name: http, containerPort: 8080 }
            {{- end }}
            - { name: metrics, containerPort: 9464 }
          {{- $port := ternary "http" "metrics" $isApi }}
          startupProbe:
            httpGet: { path: /health/started, port: metrics }
            {{- toYaml $root.Values.probes.startup | nindent 12 }}
          livenessProbe:
            httpGet: { path: /health/live, port: {{ $port }} }
            {{- toYaml $root.Values.probes.liveness | nindent 12 }}
          {{- if $isApi }}
          readinessProbe:
            httpGet: { path: /health/ready, port: {{ $port }} }
            {{- toYaml $root.Values.probes.readiness | nindent 12 }}
          {{- end }}
          resources: {{- toYaml $tier.resources | nindent 12 }}
          volumeMounts:
            - { name: data, mountPath: /data }
            - { name: tmp, mountPath: /tmp }
            {{- if $root.Values.caCertificates.secretName }}
            - { name: ca, mountPath: /etc/semantic-memory, readOnly: true }
            {{- end }}
      volumes:
        - name: data
          {{- if $root.Values.blobs.s3.bucket }}
          emptyDir: { sizeLimit: 256Mi }
          {{- else }}
          persistentVolumeClaim:
            claimName: {{ $root.Values.blobs.existingClaim | default (include "memory.name" (dict "root" $root "component" "blobs")) }}
          {{- end }}
        - name: tmp
          emptyDir: { sizeLimit: {{ $tier.tmpSize }} }
        {{- with $root.Values.caCertificates }}
        {{- if .secretName }}
        - name: ca
          secret:
            secretName: {{ .secretName }}
            items:
              - { key: {{ .key }}, path: ca.crt }
        {{- end }}
        {{- end }}
{{- end }}

{{/* The variables of one Deployment; secrets only where they are used. Takes what memory.deployment takes. */}}
{{- define "memory.variables" -}}
{{- $root := .root }}
{{- $values := .root.Values }}
{{- $secret := include "memory.secret" $root }}
{{- $isApi := eq .image "api" }}
{{- range $name, $value := .tier.env }}
- name: {{ $name }}
  value: {{ $value | quote }}
{{- end }}
{{- with .tierName }}
- name: TIERS
  value: {{ . }}
{{- end }}
- name: SHUTDOWN_GRACE_MS
  value: {{ mul .tier.jobBudgetSeconds 1000 | quote }}
{{- if $isApi }}
- name: DRAIN_MS
  value: {{ mul .tier.drainSeconds 1000 | quote }}
{{- end }}
{{- if $values.caCertificates.secretName }}
- name: NODE_EXTRA_CA_CERTS
  value: /etc/semantic-memory/ca.crt
{{- end }}
{{- with $values.redis.existingSecret }}
{{- if .name }}
{{ include "memory.secretVariable" (dict "name" "REDIS_URL" "secret" .name "key" .key) }}
{{- end }}
{{- end }}
{{- with $values.cacheRedis.existingSecret }}
{{- if .name }}
{{ include "memory.secretVariable" (dict "name" "CACHE_REDIS_URL" "secret" .name "key" .key) }}
{{- end }}
{{- end }}
{{- if $values.chroma.host }}
{{ include "memory.secretVariable" (dict "name" "CHROMA_API_KEY" "secret" $secret "key" "CHROMA_API_KEY" "optional" true) }}
{{- end }}
{{- if $isApi }}
{{ include "memory.secretVariable" (dict "name" "JWT_SECRET" "secret" $secret "key" "JWT_SECRET" "optional" (hasKey $values.env "JWKS_URL")) }}
{{ include "memory.secretVariable" (dict "name" "RERANK_API_KEY" "secret" $secret "key" "RERANK_API_KEY" "optional" true) }}
{{- end }}
{{- if or $isApi (eq .tierName "fetch") }}
{{ include "memory.secretVariable" (dict "name" "WEBHOOK_SECRET" "secret" $secret "key" "WEBHOOK_SECRET" "optional" true) }}
{{- end }}
{{- with $values.sources.s3 }}
{{- if and .buckets (or $isApi (eq $.tierName "fetch")) }}
- name: SOURCE_S3_BUCKETS
  value: {{ join "," .buckets | quote }}
{{- if not $isApi }}
- name: SOURCE_S3_REGION
  value: {{ .region | quote }}
{{- with .endpoint }}
- name: SOURCE_S3_ENDPOINT
  value: {{ . | quote }}
{{- end }}
{{- range list "SOURCE_S3_ACCESS_KEY_ID" "SOURCE_S3_SECRET_ACCESS_KEY" }}
{{ include "memory.secretVariable" (dict "name" . "secret" $secret "key" . "optional" true) }}
{{- end }}
{{- end }}
{{- end }}
{{- end }}
{{- if or $isApi (eq .tierName "embed") }}
{{ include "memory.secretVariable" (dict "name" "OPENAI_API_KEY" "secret" $secret "key" "OPENAI_API_KEY" "optional" true) }}
{{- end }}
{{- if $values.blobs.s3.bucket }}
{{- range list "S3_ACCESS_KEY_ID" "S3_SECRET_ACCESS_KEY" }}
{{ include "memory.secretVariable" (dict "name" . "secret" $secret "key" . "optional" true) }}
{{- end }}
{{- end }}
{{- end }}

{{/* Rights of a pod: no token, no root. Takes the root. */}}
{{- define "memory.podSecurity" -}}
automountServiceAccountToken: false
enableServiceLinks: false
securityContext: {{- toYaml .Values.podSecurityContext | nindent 2 }}
{{- with .Values.image.pullSecrets }}
imagePullSecrets:
  {{- range . }}
  - name: {{ . }}
  {{- end }}
{{- end }}
{{- end }}

{{/* On which nodes a pod goes. Takes part (root and component) and tier. */}}
{{- define "memory.placing" -}}
{{- $selector := include "memory.selector" .part }}
affinity:
  {{- if .tier.affinity }}
  {{- toYaml .tier.affinity | nindent 2 }}
  {{- else }}
  podAntiAffinity:
    preferredDuringSchedulingIgnoredDuringExecution:
      - weight: 100
        podAffinityTerm:
          topologyKey: kubernetes.io/hostname
          labelSelector:
            matchLabels: {{- $selector | nindent 14 }}
  {{- end }}
topologySpreadConstraints:
  {{- if .tier.topologySpreadConstraints }}
  {{- toYaml .tier.topologySpreadConstraints | nindent 2 }}
  {{- else }}
  - maxSkew: 1
    topologyKey: topology.kubernetes.io/zone
    whenUnsatisfiable: ScheduleAnyway
    labelSelector:
      matchLabels: {{- $selector | nindent 8 }}
  {{- end }}
{{- with .tier.nodeSelector }}
nodeSelector: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .tier.tolerations }}
tolerations: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .tier.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- end }}

{{/* Scaling and disruption of one Deployment. Takes what memory.deployment takes. */}}
{{- define "memory.scaling" -}}
{{- $root := .root }}
{{- $tier := .tier }}
{{- $scale := .tier.autoscaling }}
{{- if $scale.enabled }}
{{- if gt (int $scale.minReplicas) (int $scale.maxReplicas) }}
{{- fail (printf "%s: autoscaling.minReplicas is more than maxReplicas" .component) }}
{{- end }}
{{- if eq $scale.by "queue" }}
{{- if not .tierName }}
{{- fail "api: autoscaling.by is queue, but an API has none: cpu" }}
{{- end }}
{{- $address := required (printf "%s: autoscaling.by is queue: autoscaling.prometheusAddress says where Prometheus is" .component) $root.Values.autoscaling.prometheusAddress }}
{{- $selector := printf "queue=%q" .tierName }}
{{- with $root.Values.autoscaling.prometheusSelector }}
{{- $selector = printf "%s,%s" $selector . }}
{{- end }}
{{- $triggers := list
  (dict "query" (printf "sum(max by (state) (queue_jobs{%s,state=~\"wait|active\"}))" $selector) "threshold" $scale.jobsPerPod)
  (dict "query" (printf "max(queue_oldest_age_seconds{%s,state=\"wait\"})" $selector) "threshold" $scale.oldestAgeSeconds) }}
---
apiVersion: keda.sh/v1alpha1
kind: ScaledObject
metadata:
  name: {{ include "memory.name" . }}
  labels: {{- include "memory.labels" . | nindent 4 }}
spec:
  scaleTargetRef:
    apiVersion: apps/v1
    kind: Deployment
    name: {{ include "memory.name" . }}
  minReplicaCount: {{ $scale.minReplicas }}
  maxReplicaCount: {{ $scale.maxReplicas }}
  pollingInterval: 15
  fallback:
    failureThreshold: 4
    replicas: {{ $scale.fallbackReplicas }}
  advanced:
    horizontalPodAutoscalerConfig:
      behavior:
        scaleDown:
          stabilizationWindowSeconds: {{ $scale.scaleDownSeconds }}
  triggers:
    {{- range $triggers }}
    - type: prometheus
      metricType: AverageValue
      metadata:
        serverAddress: {{ $address | quote }}
        query: {{ .query | quote }}
        threshold: {{ .threshold | quote }}
        # No sample is a fault, and the fallback's business, not an empty queue.
        ignoreNullValues: "false"
      {{- with $root.Values.autoscaling.triggerAuthentication }}
      authenticationRef:
        name: {{ . }}
      {{- end }}
    {{- end }}
{{- else }}
---
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata:
  name: {{ include "memory.name" . }}
  labels: {{- include "memory.labels" . | nindent 4 }}
spec:
  scaleTargetRef:
    apiVersion: apps/v1
    kind: Deployment
    name: {{ include "memory.name" . }}
  minReplicas: {{ $scale.minReplicas }}
  maxReplicas: {{ $scale.maxReplicas }}
  metrics:
    - type: Resource
      resource:
        name: cpu
        target:
          type: Utilization
          averageUtilization: {{ $scale.targetCpuPercent }}
  behavior:
    scaleDown:
      stabilizationWindowSeconds: {{ $scale.scaleDownSeconds }}
{{- end }}
{{- end }}
{{- if gt (int (include "memory.fewest" $tier)) 1 }}
---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata:
  name: {{ include "memory.name" . }}
  labels: {{- include "memory.labels" . | nindent 4 }}
spec:
  maxUnavailable: {{ $tier.maxUnavailable }}
  unhealthyPodEvictionPolicy: AlwaysAllow
  selector:
    matchLabels: {{- include "memory.selector" . | nindent 6 }}
{{- end }}
{{- end }}
