{{/* What one value alone can not say. Each fault in words that tell what to do. */}}
{{- define "cognate.check" -}}
{{- $values := .Values }}
{{- $shared := eq (include "cognate.shared" .) "true" }}
{{- range $name, $secret := $values.secrets }}
{{- if and $secret.existingSecret $secret.value }}
{{- fail (printf "secrets.%s: give existingSecret or value, not both" $name) }}
{{- end }}
{{- end }}
{{- $given := dict }}
{{- range $name, $_ := $values.secrets }}
{{- $_ := set $given $name (eq (include "cognate.secretGiven" (dict "root" $ "name" $name)) "true") }}
{{- end }}
{{- if $shared }}
{{- if not $given.master_key }}
{{- fail "secrets.master_key: several copies need one master key; make it once with `openssl rand -base64 32`, keep it in a Secret and name that in secrets.master_key.existingSecret" }}
{{- end }}
{{- if not $given.directory_url }}
{{- fail "secrets.directory_url: mode shared needs PostgreSQL; name a Secret with postgres://USER:PASSWORD@HOST/DATABASE in secrets.directory_url.existingSecret, or set mode to embedded" }}
{{- end }}
{{- if not (or $values.config.http.public_url (and $values.ingress.enabled $values.ingress.hosts) (and $values.httpRoute.enabled $values.httpRoute.hostnames)) }}
{{- fail "config.http.public_url: the URL that your clients use, such as https://auth.example.com, or turn ingress or httpRoute on with a host" }}
{{- end }}
{{- else }}
{{- if or $given.directory_url $given.tokens_url }}
{{- fail "secrets.directory_url and secrets.tokens_url belong to servers: set mode to shared, or take them away" }}
{{- end }}
{{- if gt (int64 (default 1 $values.replicas)) 1 }}
{{- fail "replicas: the embedded store has one process; set mode to shared for more than one" }}
{{- end }}
{{- if $values.autoscaling.enabled }}
{{- fail "autoscaling.enabled: the embedded store has one process; set mode to shared" }}
{{- end }}
{{- end }}
{{- if and $values.ingress.enabled (not $values.ingress.hosts) }}
{{- fail "ingress.hosts: name at least one host" }}
{{- end }}
{{- if and $values.httpRoute.enabled (not $values.httpRoute.parentRefs) }}
{{- fail "httpRoute.parentRefs: name the Gateway" }}
{{- end }}
{{- if and (or $values.ingress.enabled $values.httpRoute.enabled) (not $values.config.http.trusted_proxies) }}
{{- fail "config.http.trusted_proxies: the network of the Pods of your ingress or gateway, such as 10.0.0.0/8; without it all callers count as one address, and the wrong passwords of one lock out all" }}
{{- end }}
{{- if and $values.tls.existingSecret $values.config.http.certificate_file }}
{{- fail "tls.existingSecret and config.http.certificate_file: set one of them" }}
{{- end }}
{{- if and $values.autoscaling.enabled (lt (int64 $values.autoscaling.maxReplicas) (int64 $values.autoscaling.minReplicas)) }}
{{- fail "autoscaling.maxReplicas: must not be less than minReplicas" }}
{{- end }}
{{- $stop := include "cognate.stopSeconds" . | int64 }}
{{- if lt (include "cognate.gracePeriod" . | int64) $stop }}
{{- fail (printf "terminationGracePeriodSeconds: must be at least %d, http.drain and http.shutdown together, else running requests are cut" $stop) }}
{{- end }}
{{- include "cognate.checkMemory" . }}
{{- end }}

{{- define "cognate.checkMemory" -}}
{{- $limit := dig "limits" "memory" "" .Values.resources }}
{{- $hashes := include "cognate.hashesAtOnce" . | int64 }}
{{- if $limit }}
{{- if eq $hashes 0 }}
{{- fail "config.password.threads: without resources.limits.cpu every core of a node hashes a password at once, each in 19 MiB; set one of the two, or no limit for memory" }}
{{- end }}
{{- $needed := add 65536 (mul $hashes (int64 .Values.config.password.memory_kib)) }}
{{- if lt (include "cognate.kib" $limit | int64) $needed }}
{{- fail (printf "resources.limits.memory: %v is too little for %d passwords hashed at once; it takes %d MiB" $limit $hashes (div (add $needed 1023) 1024)) }}
{{- end }}
{{- end }}
{{- end }}
