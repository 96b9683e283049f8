{{- define "memory.labels" -}}
app.kubernetes.io/name: semantic-memory
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .component }}
{{- end }}

{{- define "memory.name" -}}
{{ printf "%s-%s" .root.Release.Name .component | trunc 63 | trimSuffix "-" }}
{{- end }}

{{- define "memory.image" -}}
{{ .root.Values.image.prefix }}{{ .image }}:{{ .root.Values.image.tag | default .root.Chart.AppVersion }}
{{- end }}

{{- define "memory.podSecurity" -}}
automountServiceAccountToken: false
enableServiceLinks: false
securityContext:
  runAsNonRoot: true
  runAsUser: 10001
  runAsGroup: 10001
  fsGroup: 10001
  seccompProfile: { type: RuntimeDefault }
{{- end }}

{{- define "memory.containerSecurity" -}}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities: { drop: [ALL] }
{{- end }}

{{- define "memory.environment" -}}
envFrom:
  - configMapRef: { name: {{ include "memory.name" (dict "root" .root "component" "config") }} }
  - secretRef: { name: {{ required "existingSecret: name a Secret that holds JWT_SECRET" .root.Values.existingSecret }} }
{{- end }}

{{- define "memory.volumes" -}}
volumes:
  - name: data
    {{- if .root.Values.blobs.s3.bucket }}
    emptyDir: {}
    {{- else }}
    persistentVolumeClaim:
      claimName: {{ .root.Values.blobs.existingClaim | default (include "memory.name" (dict "root" .root "component" "blobs")) }}
    {{- end }}
  - name: tmp
    emptyDir: {}
{{- end }}

{{- define "memory.mounts" -}}
volumeMounts:
  - { name: data, mountPath: /data }
  - { name: tmp, mountPath: /tmp }
{{- end }}
