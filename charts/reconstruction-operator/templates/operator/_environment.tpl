{{- /* The operator's settings, also of the hooks that run its image. */}}
{{- define "recon.operator.environment" -}}
{{- include "recon.redis.environment" (list . "operator") }}
- name: NAMESPACES
  value: {{ join "," .Values.watchNamespaces | quote }}
- name: LEADER_ELECTION
  value: "true"
- name: LEASE_NAMESPACE
  value: {{ .Release.Namespace }}
- name: LEASE_NAME
  value: {{ include "recon.leaseName" . }}
- name: INSTALLATION
  value: {{ default (printf "%s/%s" .Release.Namespace (include "recon.fullname" .)) .Values.operator.installation | quote }}
- name: ADOPT_FROM
  value: {{ join "," .Values.operator.adoptFrom | quote }}
{{- if .Values.keda.enabled }}
- name: WORKER_NAMESPACE
  value: {{ .Release.Namespace }}
- name: WORKER_SELECTOR
  value: app.kubernetes.io/name={{ include "recon.name" . }},app.kubernetes.io/instance={{ .Release.Name }},app.kubernetes.io/component=worker
{{- end }}
- name: DEFAULT_MODEL
  value: {{ .Values.jobs.defaultModel }}
- name: DEFAULT_TTL_SECONDS_AFTER_FINISHED
  value: {{ with .Values.jobs.defaultTtlSecondsAfterFinished }}{{ int64 . | quote }}{{ else }}""{{ end }}
- name: RESTORED_JOBS
  value: {{ .Values.jobs.restored }}
- name: CANCELLATION_EXPIRY_S
  value: {{ int64 .Values.jobs.cancellationExpirySeconds | quote }}
- name: CANCELLATION_GRACE_S
  value: {{ int64 .Values.jobs.cancellationGraceSeconds | quote }}
{{- if .Values.remote.secrets }}
- name: CREDENTIALS_KEY
  valueFrom:
    secretKeyRef:
      name: {{ include "recon.fullname" . }}-credentials
      key: key
{{- end }}
{{- with .Values.tracing.endpoint }}
- name: OTEL_EXPORTER_OTLP_ENDPOINT
  value: {{ . }}
{{- end }}
- name: LOG_FORMAT
  value: json
- name: LOG_LEVEL
  value: {{ .Values.operator.logLevel }}
{{- include "recon.settings" .Values.operator.settings }}
{{- end }}
