{{- /* What the schema can't say, in sentences that say what to do. */}}
{{- define "recon.check" -}}
{{- $redis := .Values.redis }}
{{- if and $redis.builtIn.enabled $redis.external.host }}
{{- fail "redis: there are two. For the external one set redis.builtIn.enabled=false; for the built-in one leave redis.external.host empty." }}
{{- end }}
{{- if not (or $redis.builtIn.enabled $redis.external.host) }}
{{- fail "redis: there is none. Set redis.builtIn.enabled=true, or redis.external.host to the host name of yours." }}
{{- end }}
{{- if and $redis.external.host (not $redis.auth.existingSecret) }}
{{- fail "redis.auth.existingSecret: an external Redis needs a Secret with the keys operator-password and worker-password." }}
{{- end }}
{{- include "recon.checkStorage" . }}
{{- include "recon.checkSettings" (list (include "recon.operator.environment" .) "operator.settings") }}
{{- include "recon.checkPools" . }}
{{- if .Values.keda.enabled }}
{{- if not .Values.keda.prometheusAddress }}
{{- fail "keda.prometheusAddress: KEDA reads the length of the queue from Prometheus; set its address, such as http://prometheus.monitoring:9090." }}
{{- end }}
{{- if gt (int .Values.keda.minReplicas) (int .Values.keda.maxReplicas) }}
{{- fail "keda.minReplicas is more than keda.maxReplicas." }}
{{- end }}
{{- end }}
{{- $test := .Values.test.namespace }}
{{- if and $test .Values.watchNamespaces (not (has $test .Values.watchNamespaces)) }}
{{- fail (printf "test.namespace: nobody looks after jobs in %s; name one of watchNamespaces." $test) }}
{{- end }}
{{- include "recon.checkCluster" . }}
{{- end }}

{{- define "recon.checkStorage" -}}
{{- $storage := .Values.storage }}
{{- if and $storage.url $storage.existingClaim }}
{{- fail "storage: there are two. For the bucket leave storage.existingClaim empty; for the claim leave storage.url empty." }}
{{- end }}
{{- if and $storage.url $storage.subPath }}
{{- fail "storage.subPath: names a folder in a volume, and storage.url is a bucket. Write the prefix at the end of storage.url." }}
{{- end }}
{{- if and $storage.url (not $storage.secretName) }}
{{- fail "storage.secretName: the bucket of storage.url needs keys. What is open to requests without would be open to every job's URL too. Name a Secret." }}
{{- end }}
{{- if and $storage.secretName (not $storage.url) }}
{{- fail "storage.secretName: holds credentials for storage.url, which is empty. Set storage.url too, or leave both empty." }}
{{- end }}
{{- end }}

{{- /* Takes (all variables as YAML, path of the settings). */}}
{{- define "recon.checkSettings" -}}
{{- $path := index . 1 }}
{{- $seen := dict }}
{{- range index . 0 | fromYamlArray }}
{{- if hasKey $seen .name }}
{{- fail (printf "%s: %s has a value of its own in this chart; set that instead." $path .name) }}
{{- end }}
{{- $_ := set $seen .name true }}
{{- end }}
{{- end }}

{{- define "recon.checkPools" -}}
{{- $names := list }}
{{- $classes := list }}
{{- range $index, $given := .Values.worker.pools }}
{{- $pool := include "recon.worker.pool" (list $ $given) | fromYaml }}
{{- $gpuClass := $pool.gpuClass }}
{{- if has $pool.name $names }}
{{- fail (printf "worker.pools[%d].name: there are two pools named %s." $index $pool.name) }}
{{- end }}
{{- if and $.Values.keda.enabled (has $gpuClass $classes) }}
{{- fail (printf "worker.pools[%d].gpuClass: KEDA would count the jobs of gpuClass %s twice; give each gpuClass one pool." $index $gpuClass) }}
{{- end }}
{{- if lt (int $pool.terminationGracePeriodSeconds) (add 15 (int $pool.stopGraceSeconds) | int) }}
{{- fail (printf "worker.pools[%d].terminationGracePeriodSeconds: %d s are too few; an attempt gets stopGraceSeconds (%d s) to leave its step, and the worker 15 s to say so." $index (int $pool.terminationGracePeriodSeconds) (int $pool.stopGraceSeconds)) }}
{{- end }}
{{- if and $pool.weights.existingClaim $pool.weights.volume }}
{{- fail (printf "worker.pools[%d].weights: set existingClaim or volume, not both." $index) }}
{{- end }}
{{- include "recon.checkSettings" (list (include "recon.worker.environment" (list $ $pool)) (printf "worker.pools[%d].settings" $index)) }}
{{- $names = append $names $pool.name }}
{{- $classes = append $classes $gpuClass }}
{{- end }}
{{- end }}

{{- /* What must be in the cluster already. A rendering without a cluster finds nothing, not even the namespace, and then
       nothing is checked; nor is it where Helm is still to create the namespace, in which nothing can be yet. */}}
{{- define "recon.checkCluster" -}}
{{- if lookup "v1" "Namespace" "" .Release.Namespace }}
{{- include "recon.mustExist" (list . "PersistentVolumeClaim" .Values.storage.existingClaim "storage.existingClaim") }}
{{- include "recon.mustExist" (list . "Secret" .Values.storage.secretName "storage.secretName") }}
{{- include "recon.mustExist" (list . "Secret" .Values.storage.caSecret "storage.caSecret") }}
{{- include "recon.checkStorageKeys" . }}
{{- include "recon.mustExist" (list . "Secret" .Values.redis.auth.existingSecret "redis.auth.existingSecret") }}
{{- if .Values.redis.builtIn.enabled }}
{{- include "recon.mustExist" (list . "PersistentVolumeClaim" .Values.redis.builtIn.persistence.existingClaim "redis.builtIn.persistence.existingClaim") }}
{{- else if .Values.redis.external.tls.enabled }}
{{- include "recon.mustExist" (list . "Secret" .Values.redis.external.tls.caSecret "redis.external.tls.caSecret") }}
{{- end }}
{{- range $index, $given := .Values.worker.pools }}
{{- $pool := include "recon.worker.pool" (list $ $given) | fromYaml }}
{{- include "recon.mustExist" (list $ "PersistentVolumeClaim" $pool.weights.existingClaim (printf "worker.pools[%d].weights.existingClaim" $index)) }}
{{- end }}
{{- include "recon.checkPasswords" . }}
{{- if and .Values.crds.check (not .Values.crds.install) }}
{{- include "recon.checkDefinition" . }}
{{- end }}
{{- end }}
{{- end }}

{{- /* Takes (root, kind, name, path of the value). */}}
{{- define "recon.mustExist" -}}
{{- $root := index . 0 -}}
{{- $name := index . 2 -}}
{{- if and $name (not (lookup "v1" (index . 1) $root.Release.Namespace $name)) }}
{{- fail (printf "%s: there is no %s named %s in the namespace %s. Create it first, or leave the value empty." (index . 3) (index . 1) $name $root.Release.Namespace) }}
{{- end }}
{{- end }}

{{- define "recon.checkStorageKeys" -}}
{{- $name := .Values.storage.secretName }}
{{- if $name }}
{{- $data := (lookup "v1" "Secret" .Release.Namespace $name).data | default dict }}
{{- range tuple "AWS_ACCESS_KEY_ID" "AWS_SECRET_ACCESS_KEY" }}
{{- if not (get $data .) }}
{{- fail (printf "storage.secretName: the Secret %s has no key %s; add it." $name .) }}
{{- end }}
{{- end }}
{{- $endpoint := get $data "endpointURL" | default "" | b64dec | trim }}
{{- if and $endpoint (not (regexMatch "^https?://[^/@[:space:]]+" $endpoint)) }}
{{- fail (printf "storage.secretName: endpointURL of the Secret %s must be a server's URL, such as https://minio.example.com:9000." $name) }}
{{- end }}
{{- end }}
{{- end }}

{{- define "recon.checkPasswords" -}}
{{- $name := .Values.redis.auth.existingSecret }}
{{- if $name }}
{{- $data := (lookup "v1" "Secret" .Release.Namespace $name).data | default dict }}
{{- range ternary (tuple "password" "operator-password" "worker-password") (tuple "operator-password" "worker-password") .Values.redis.builtIn.enabled }}
{{- if not (regexMatch "^[A-Za-z0-9_-]+$" (get $data . | b64dec)) }}
{{- fail (printf "redis.auth.existingSecret: the key %s of the Secret %s must be a password of letters, digits, - and _ only." . $name) }}
{{- end }}
{{- end }}
{{- end }}
{{- end }}

{{- /* A definition without a field that this version writes would drop it silently. */}}
{{- define "recon.checkDefinition" -}}
{{- $name := "reconstructionjobs.reconstruction.dev" }}
{{- $present := lookup "apiextensions.k8s.io/v1" "CustomResourceDefinition" "" $name }}
{{- if not $present }}
{{- fail (printf "crds.install=false: the definition %s is not in the cluster. Set crds.install=true, or apply crds/reconstructionjobs.yaml first." $name) }}
{{- end }}
{{- $own := .Files.Get "files/reconstructionjobs.yaml" | fromYaml }}
{{- $theirs := (index $present.spec.versions 0).schema.openAPIV3Schema.properties }}
{{- $missing := list }}
{{- range $part := tuple "spec" "status" }}
{{- range $field, $_ := (index (index $own.spec.versions 0).schema.openAPIV3Schema.properties $part).properties }}
{{- if not (hasKey (dig $part "properties" dict $theirs) $field) }}
{{- $missing = append $missing (printf "%s.%s" $part $field) }}
{{- end }}
{{- end }}
{{- end }}
{{- if $missing }}
{{- fail (printf "crds.install=false: the definition %s in the cluster is older than this chart: it lacks %s. Set crds.install=true, or apply crds/reconstructionjobs.yaml first." $name (join ", " $missing)) }}
{{- end }}
{{- end }}
