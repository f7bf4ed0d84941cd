{{- /* A pool with what it does not say itself, as YAML. Takes (root, the pool as given). */}}
{{- define "recon.worker.pool" -}}
{{- $root := index . 0 -}}
{{- $given := deepCopy (index . 1) -}}
{{- mergeOverwrite (dict "gpuClass" "any") (deepCopy $root.Values.worker.poolDefaults) $given | toYaml }}
{{- end }}

{{- /* The settings of a pool's workers. Takes (root, the whole pool). */}}
{{- define "recon.worker.environment" -}}
{{- $root := index . 0 -}}
{{- $pool := index . 1 -}}
- name: WORKER_NAME
  valueFrom: {fieldRef: {fieldPath: metadata.name}}
- name: NODE_NAME
  valueFrom: {fieldRef: {fieldPath: spec.nodeName}}
{{ include "recon.redis.environment" (list $root "worker") }}
- name: GPU_CLASS
  value: {{ $pool.gpuClass | quote }}
- name: JOB_STORAGE_PATH
  value: /app/storage/jobs
{{- with $root.Values.storage }}
{{- if .url }}
- name: STORAGE_URL
  value: {{ .url | quote }}
- name: STORAGE_ACCESS_KEY_ID
  valueFrom: {secretKeyRef: {name: {{ .secretName }}, key: AWS_ACCESS_KEY_ID}}
- name: STORAGE_SECRET_ACCESS_KEY
  valueFrom: {secretKeyRef: {name: {{ .secretName }}, key: AWS_SECRET_ACCESS_KEY}}
- name: STORAGE_SESSION_TOKEN
  valueFrom: {secretKeyRef: {name: {{ .secretName }}, key: AWS_SESSION_TOKEN, optional: true}}
- name: STORAGE_ENDPOINT_URL
  valueFrom: {secretKeyRef: {name: {{ .secretName }}, key: endpointURL, optional: true}}
{{- if .caSecret }}
- name: STORAGE_CA_FILE
  value: /etc/storage-ca/ca.crt
{{- end }}
{{- end }}
{{- end }}
{{- if or $pool.weights.existingClaim $pool.weights.volume }}
- name: MODEL_WEIGHTS_PATH
  value: {{ $pool.weights.mountPath }}
{{- end }}
- name: ENABLE_SYNTHETIC
  value: {{ $root.Values.jobs.synthetic | quote }}
- name: STOP_GRACE_S
  value: {{ int64 $pool.stopGraceSeconds | quote }}
- name: LIVENESS_FILE
  value: /tmp/alive
- name: METRICS_PORT
  value: "8081"
{{- if $root.Values.remote.secrets }}
- name: CREDENTIALS_KEY
  valueFrom:
    secretKeyRef:
      name: {{ include "recon.fullname" $root }}-credentials
      key: key
{{- end }}
- name: URL_MAX_BYTES
  value: {{ int64 $root.Values.remote.maxSizeBytes | quote }}
- name: URL_TIMEOUT_S
  value: {{ int64 $root.Values.remote.timeoutSeconds | quote }}
- name: URL_ALLOWED_PRIVATE_HOSTS
  value: {{ join "," $root.Values.remote.allowedPrivateHosts | quote }}
- name: S3_ENDPOINT_URL
  value: {{ $root.Values.remote.s3EndpointUrl | quote }}
{{- with $root.Values.tracing.endpoint }}
- name: OTEL_EXPORTER_OTLP_ENDPOINT
  value: {{ . }}
{{- end }}
- name: LOG_FORMAT
  value: json
- name: LOG_LEVEL
  value: {{ $root.Values.worker.logLevel }}
{{- include "recon.settings" $pool.settings }}
{{- end }}
