{{/* What things are called, and the labels they bear. */}}

{{- define "cognate.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 50 | trimSuffix "-" }}
{{- end }}

{{- define "cognate.fullname" -}}
{{- $name := include "cognate.name" . }}
{{- $full := ternary .Release.Name (printf "%s-%s" .Release.Name $name) (contains $name .Release.Name) }}
{{- default $full .Values.fullnameOverride | trunc 50 | trimSuffix "-" }}
{{- end }}

{{- define "cognate.serviceAccount" -}}
{{- default (ternary (include "cognate.fullname" .) "default" .Values.serviceAccount.create) .Values.serviceAccount.name }}
{{- end }}

{{- define "cognate.image" -}}
{{- with .Values.image -}}
{{- if .digest }}{{ .repository }}@{{ .digest }}{{ else }}{{ .repository }}:{{ default $.Chart.AppVersion .tag }}{{ end }}
{{- end }}
{{- end }}

{{- define "cognate.identity" -}}
app.kubernetes.io/name: {{ include "cognate.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "cognate.selector" -}}
{{ include "cognate.identity" . }}
app.kubernetes.io/component: server
{{- end }}

{{- define "cognate.commonLabels" -}}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- with .Values.labels }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{- define "cognate.labels" -}}
{{ include "cognate.selector" . }}
{{ include "cognate.commonLabels" . }}
{{- end }}

{{/* Whether the stores are servers that several copies share. */}}
{{- define "cognate.shared" -}}
{{- if eq .Values.mode "shared" }}true{{ end }}
{{- end }}

{{/* Whether the Pods speak TLS themselves. */}}
{{- define "cognate.tls" -}}
{{- if or .Values.tls.existingSecret .Values.config.http.certificate_file }}true{{ end }}
{{- end }}

{{- define "cognate.port" -}}
{{- regexFind "[0-9]+$" .Values.config.http.listen }}
{{- end }}

{{/* The URL that clients use: as set, else as the route from outside says, else the Service's. */}}
{{- define "cognate.publicUrl" -}}
{{- if .Values.config.http.public_url }}
{{- .Values.config.http.public_url }}
{{- else if and .Values.ingress.enabled .Values.ingress.hosts }}
{{- printf "%s://%s" (ternary "https" "http" (not (empty .Values.ingress.tlsSecret))) (first .Values.ingress.hosts) }}
{{- else if and .Values.httpRoute.enabled .Values.httpRoute.hostnames }}
{{- printf "https://%s" (first .Values.httpRoute.hostnames) }}
{{- else }}
{{- printf "%s://%s.%s.svc:%v" (ternary "https" "http" (eq (include "cognate.tls" .) "true")) (include "cognate.fullname" .) .Release.Namespace .Values.service.port }}
{{- end }}
{{- end }}
