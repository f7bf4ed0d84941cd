{{- /* The beginning of all names: the release's, and the chart's where neither is a part of the other. */}}
{{- define "recon.fullname" -}}
{{- if .Values.fullnameOverride }}
{{- .Values.fullnameOverride | trunc 40 | trimSuffix "-" }}
{{- else }}
{{- $name := default .Chart.Name .Values.nameOverride }}
{{- ternary .Release.Name (printf "%s-%s" .Release.Name $name) (or (contains $name .Release.Name) (contains .Release.Name $name)) | trunc 40 | trimSuffix "-" }}
{{- end }}
{{- end }}

{{- define "recon.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" }}
{{- end }}

{{- /* Labels by which a component's Pods are selected; they never change. Takes (root, component). */}}
{{- define "recon.selector" -}}
{{- $root := index . 0 -}}
app.kubernetes.io/name: {{ include "recon.name" $root }}
app.kubernetes.io/instance: {{ $root.Release.Name }}
app.kubernetes.io/component: {{ index . 1 }}
{{- end }}

{{- /* All labels of a component's objects. Takes (root, component). */}}
{{- define "recon.labels" -}}
{{- $root := index . 0 -}}
{{ include "recon.podLabels" . }}
app.kubernetes.io/version: {{ $root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ $root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" $root.Chart.Name $root.Chart.Version | replace "+" "_" }}
{{- end }}

{{- /* Labels of a component's Pods: no versions, so that an upgrade restarts only what it changes. */}}
{{- define "recon.podLabels" -}}
{{- $root := index . 0 -}}
{{ include "recon.selector" . }}
app.kubernetes.io/part-of: reconstruction-operator
{{- with $root.Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{- define "recon.image" -}}
{{- $root := index . 0 -}}
{{- $image := index . 1 -}}
{{- if $image.digest -}}
{{ $image.repository }}@{{ $image.digest }}
{{- else -}}
{{ $image.repository }}:{{ default $root.Chart.AppVersion $image.tag }}
{{- end }}
{{- end }}

{{- define "recon.serviceAccount" -}}
{{- default (include "recon.fullname" .) .Values.operator.serviceAccount.name }}
{{- end }}

{{- define "recon.storageClaim" -}}
{{- default (printf "%s-storage" (include "recon.fullname" .)) .Values.storage.existingClaim }}
{{- end }}

{{- define "recon.leaseName" -}}
{{- include "recon.fullname" . }}
{{- end }}
