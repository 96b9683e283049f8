{{/* The way to the cluster's DNS. */}}
{{- define "memory.dnsRule" -}}
- to: {{- toYaml .Values.networkPolicy.dns | nindent 4 }}
  ports:
    - { port: 53, protocol: UDP }
    - { port: 53, protocol: TCP }
{{- end }}

{{/* The way to a store of one's own: the rules given, or private ranges at its port. Takes root, rules and port. */}}
{{- define "memory.storeRules" -}}
{{- if .rules }}
{{- toYaml .rules }}
{{- else -}}
- to:
    {{- range list "10.0.0.0/8" "172.16.0.0/12" "192.168.0.0/16" "fc00::/7" }}
    - ipBlock: { cidr: "{{ . }}" }
    {{- end }}
  ports:
    - { port: {{ .port }} }
{{- end }}
{{- end }}

{{/* The port that an address names, else the one given. Takes url and port. */}}
{{- define "memory.portOf" -}}
{{- regexFind ":[0-9]+$" (urlParse .url).host | trimPrefix ":" | default (toString .port) }}
{{- end }}
