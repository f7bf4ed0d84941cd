{{- define "recon.test.namespace" -}}
{{- .Values.test.namespace | default (first (append .Values.watchNamespaces .Release.Namespace)) }}
{{- end }}
