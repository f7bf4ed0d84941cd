{{- define "recon.redis.name" -}}
{{- printf "%s-redis" (include "recon.fullname" .) }}
{{- end }}

{{- define "recon.redis.secret" -}}
{{- default (include "recon.redis.name" .) .Values.redis.auth.existingSecret }}
{{- end }}

{{- define "recon.redis.address" -}}
{{- $redis := .Values.redis -}}
{{- if $redis.builtIn.enabled -}}
{{ include "recon.redis.name" . }}:6379
{{- else -}}
{{ $redis.external.host }}:{{ $redis.external.port }}
{{- end }}
{{- end }}

{{- /* How operator or worker reaches Redis, as environment variables. Takes (root, "operator" | "worker"). */}}
{{- define "recon.redis.environment" -}}
{{- $root := index . 0 -}}
{{- $who := index . 1 -}}
{{- $redis := $root.Values.redis -}}
{{- $user := $redis.builtIn.enabled | ternary $who (index $redis.external (printf "%sUser" $who)) -}}
{{- $tls := and (not $redis.builtIn.enabled) $redis.external.tls.enabled -}}
{{- $url := printf "%s://%s:$(REDIS_PASSWORD)@%s/0" (ternary "rediss" "redis" $tls) $user (include "recon.redis.address" $root) -}}
- name: REDIS_PASSWORD
  valueFrom:
    secretKeyRef:
      name: {{ include "recon.redis.secret" $root }}
      key: {{ $who }}-password
- name: CELERY_BROKER_URL
  value: {{ $url }}
- name: CELERY_RESULT_BACKEND
  value: {{ $url }}
- name: REDIS_STATE_DB
  value: {{ $redis.stateDatabase | quote }}
{{- if and $tls $redis.external.tls.caSecret }}
- name: REDIS_CA_FILE
  value: /etc/redis-ca/ca.crt
{{- end }}
{{- end }}

{{- define "recon.redis.caMount" -}}
{{- if and (not .Values.redis.builtIn.enabled) .Values.redis.external.tls.enabled .Values.redis.external.tls.caSecret }}
- name: redis-ca
  mountPath: /etc/redis-ca
  readOnly: true
{{- end }}
{{- end }}

{{- define "recon.redis.caVolume" -}}
{{- $tls := .Values.redis.external.tls }}
{{- if and (not .Values.redis.builtIn.enabled) $tls.enabled $tls.caSecret }}
- name: redis-ca
  secret:
    secretName: {{ $tls.caSecret }}
    items:
    - {key: {{ $tls.caKey }}, path: ca.crt}
{{- end }}
{{- end }}
