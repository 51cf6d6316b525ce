{{/* From values to the settings of the program. */}}

{{/* A value as TOML. Numbers of a values file are floats to Helm; JSON's texts are TOML's, too. */}}
{{- define "cognate.toml" -}}
{{- if kindIs "float64" . }}{{ int64 . }}{{ else }}{{ toJson . }}{{ end }}
{{- end }}

{{/* One secret setting: {root, name} → where it is mounted; nothing when it is not given. */}}
{{- define "cognate.secretGiven" -}}
{{- with index .root.Values.secrets .name }}{{ if or .existingSecret .value }}true{{ end }}{{ end }}
{{- end }}

{{/* The settings file. What is empty is left to the program's default. */}}
{{- define "cognate.settings" -}}
{{- $root := . -}}
data = "/data"
{{- if eq (include "cognate.secretGiven" (dict "root" . "name" "master_key")) "true" }}
master_key_file = "/etc/cognate/secrets/master_key"
{{- end }}
{{- range $section, $settings := .Values.config }}
{{- $settings = deepCopy $settings }}
{{- if eq $section "http" }}
{{- $_ := set $settings "public_url" (include "cognate.publicUrl" $root) }}
{{- if $root.Values.tls.existingSecret }}
{{- $_ := set $settings "certificate_file" "/etc/cognate/tls/tls.crt" }}
{{- $_ := set $settings "certificate_key_file" "/etc/cognate/tls/tls.key" }}
{{- end }}
{{- end }}
{{- range $name, $_ := $root.Values.secrets }}
{{- $prefix := printf "%s_" $section }}
{{- if and (hasPrefix $prefix $name) (eq (include "cognate.secretGiven" (dict "root" $root "name" $name)) "true") }}
{{- $_ := set $settings (printf "%s_file" (trimPrefix $prefix $name)) (printf "/etc/cognate/secrets/%s" $name) }}
{{- end }}
{{- end }}

[{{ $section }}]
{{- range $name, $value := $settings }}
{{- if not (or (kindIs "invalid" $value) (and (kindIs "string" $value) (empty $value))) }}
{{ $name }} = {{ include "cognate.toml" $value }}
{{- end }}
{{- end }}
{{- end }}
{{- end }}

{{/* A duration such as "1h 30m" in milliseconds. */}}
{{- define "cognate.milliseconds" -}}
{{- $units := dict "ms" 1 "s" 1000 "m" 60000 "h" 3600000 "d" 86400000 }}
{{- $sum := 0 }}
{{- range regexFindAll "[0-9]+(ms|s|m|h|d)" . -1 }}
{{- $sum = add $sum (mul (regexFind "[0-9]+" . | int64) (get $units (regexFind "[a-z]+" .))) }}
{{- end }}
{{- $sum }}
{{- end }}

{{/* Seconds that draining and stopping take at most, rounded up. */}}
{{- define "cognate.stopSeconds" -}}
{{- $drain := include "cognate.milliseconds" .Values.config.http.drain | int64 }}
{{- $shutdown := include "cognate.milliseconds" .Values.config.http.shutdown | int64 }}
{{- div (add $drain $shutdown 999) 1000 }}
{{- end }}

{{/* The rest is for the last log lines and for a node that is slow to tell the signal. */}}
{{- define "cognate.gracePeriod" -}}
{{- default (add (include "cognate.stopSeconds" . | int64) 6) .Values.terminationGracePeriodSeconds }}
{{- end }}

{{/* A quantity of memory in KiB. */}}
{{- define "cognate.kib" -}}
{{- $number := regexFind "^[0-9]+" (toString .) | int64 }}
{{- $unit := regexFind "[A-Za-z]+$" (toString .) }}
{{- if eq $unit "Gi" }}{{ mul $number 1048576 }}
{{- else if eq $unit "G" }}{{ mul $number 976562 }}
{{- else if eq $unit "Mi" }}{{ mul $number 1024 }}
{{- else if eq $unit "M" }}{{ mul $number 976 }}
{{- else if eq $unit "Ki" }}{{ $number }}
{{- else }}{{ div $number 1024 }}{{ end }}
{{- end }}

{{/* Passwords hashed at once, as far as the chart can tell: as set, else one per core of the CPU limit; 0 is unknown. */}}
{{- define "cognate.hashesAtOnce" -}}
{{- $cpu := toString (dig "limits" "cpu" "" .Values.resources) }}
{{- if int64 .Values.config.password.threads }}{{ int64 .Values.config.password.threads }}
{{- else if hasSuffix "m" $cpu }}{{ div (add (trimSuffix "m" $cpu | int64) 999) 1000 }}
{{- else if $cpu }}{{ ceil (float64 $cpu) | int64 }}
{{- else }}0{{ end }}
{{- end }}
