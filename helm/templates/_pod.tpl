{{/* The Pod, the same for both workloads. */}}

{{- define "cognate.containerSecurity" -}}
allowPrivilegeEscalation: false
privileged: false
readOnlyRootFilesystem: true
runAsNonRoot: true
capabilities:
  drop: [ALL]
seccompProfile:
  type: RuntimeDefault
{{- end }}

{{- define "cognate.podSecurity" -}}
runAsNonRoot: true
{{- with .Values.runAs.user }}
runAsUser: {{ int64 . }}
{{- end }}
{{- with .Values.runAs.group }}
runAsGroup: {{ int64 . }}
fsGroup: {{ int64 . }}
fsGroupChangePolicy: OnRootMismatch
{{- end }}
seccompProfile:
  type: RuntimeDefault
{{- end }}

{{/* Mounts that every container of the program has. */}}
{{- define "cognate.mounts" -}}
- name: settings
  mountPath: /etc/cognate/settings
  readOnly: true
{{- if include "cognate.secretSources" . }}
- name: secrets
  mountPath: /etc/cognate/secrets
  readOnly: true
{{- end }}
{{- if .Values.tls.existingSecret }}
- name: tls
  mountPath: /etc/cognate/tls
  readOnly: true
{{- end }}
- name: data
  mountPath: /data
{{- with .Values.extraVolumeMounts }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{/* One file for each secret that is given, whatever its key is called. */}}
{{- define "cognate.secretSources" -}}
{{- $root := . }}
{{- range $name, $secret := .Values.secrets }}
{{- if eq (include "cognate.secretGiven" (dict "root" $root "name" $name)) "true" }}
- secret:
    name: {{ default (include "cognate.fullname" $root) $secret.existingSecret }}
    items:
      - key: {{ ternary $secret.key $name (not (empty $secret.existingSecret)) }}
        path: {{ $name }}
{{- end }}
{{- end }}
{{- end }}

{{- define "cognate.volumes" -}}
- name: settings
  configMap:
    name: {{ include "cognate.fullname" . }}
{{- with include "cognate.secretSources" . }}
- name: secrets
  projected:
    defaultMode: 0440
    sources:
      {{- . | nindent 6 }}
{{- end }}
{{- if .Values.tls.existingSecret }}
- name: tls
  secret:
    secretName: {{ .Values.tls.existingSecret }}
    defaultMode: 0440
{{- end }}
{{- with .Values.extraVolumes }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{- define "cognate.probe" -}}
httpGet:
  path: {{ .probe.path }}
  port: http
  scheme: {{ ternary "HTTPS" "HTTP" (eq (include "cognate.tls" .root) "true") }}
{{ toYaml (omit .probe "path") }}
{{- end }}

{{/* The embedded store's master key is made on its volume while nothing is sealed there yet, and never again: a key
that is missing later is a refusal, not a new key. */}}
{{- define "cognate.keyMaker" -}}
- name: master-key
  image: {{ include "cognate.image" . }}
  imagePullPolicy: {{ .Values.image.pullPolicy }}
  args: ["--config", "/etc/cognate/settings/cognate.toml", "keys", "list"]
  env:
    # Only what listens on loopback may make its own key.
    - name: COGNATE__HTTP__LISTEN
      value: 127.0.0.1:8080
    {{- with .Values.extraEnv }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  resources:
    {{- toYaml .Values.resources | nindent 4 }}
  securityContext:
    {{- include "cognate.containerSecurity" . | nindent 4 }}
  volumeMounts:
    {{- include "cognate.mounts" . | nindent 4 }}
{{- end }}

{{- define "cognate.pod" -}}
{{- $ownKey := ne (include "cognate.secretGiven" (dict "root" . "name" "master_key")) "true" -}}
metadata:
  labels:
    {{- include "cognate.labels" . | nindent 4 }}
    {{- with .Values.podLabels }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  annotations:
    # Settings are read at the start: new ones need new Pods.
    checksum/settings: {{ include "cognate.settings" . | sha256sum }}
    # So short that nothing can be learnt from it.
    checksum/secrets: {{ toJson .Values.secrets | sha256sum | trunc 4 | quote }}
    {{- with .Values.podAnnotations }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
spec:
  serviceAccountName: {{ include "cognate.serviceAccount" . }}
  automountServiceAccountToken: false
  enableServiceLinks: false
  terminationGracePeriodSeconds: {{ include "cognate.gracePeriod" . }}
  securityContext:
    {{- include "cognate.podSecurity" . | nindent 4 }}
  {{- with .Values.image.pullSecrets }}
  imagePullSecrets:
    {{- range . }}
    - name: {{ . }}
    {{- end }}
  {{- end }}
  {{- with .Values.priorityClassName }}
  priorityClassName: {{ . }}
  {{- end }}
  {{- with .Values.nodeSelector }}
  nodeSelector:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with .Values.tolerations }}
  tolerations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with .Values.affinity }}
  affinity:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- if eq (include "cognate.shared" .) "true" }}
  {{- with .Values.topologySpread }}
  topologySpreadConstraints:
    {{- range . }}
    - topologyKey: {{ .topologyKey }}
      maxSkew: {{ int64 .maxSkew }}
      whenUnsatisfiable: {{ .whenUnsatisfiable }}
      labelSelector:
        matchLabels:
          {{- include "cognate.selector" $ | nindent 10 }}
    {{- end }}
  {{- end }}
  {{- end }}
  {{- if $ownKey }}
  initContainers:
    {{- include "cognate.keyMaker" . | nindent 4 }}
  {{- end }}
  containers:
    - name: cognate
      image: {{ include "cognate.image" . }}
      imagePullPolicy: {{ .Values.image.pullPolicy }}
      args: ["--config", "/etc/cognate/settings/cognate.toml", "serve"]
      {{- if or $ownKey .Values.extraEnv }}
      env:
        {{- if $ownKey }}
        - name: COGNATE__MASTER_KEY_FILE
          value: /data/master.key
        {{- end }}
        {{- with .Values.extraEnv }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
      {{- end }}
      ports:
        - name: http
          containerPort: {{ include "cognate.port" . }}
      startupProbe:
        {{- include "cognate.probe" (dict "root" . "probe" .Values.probes.startup) | nindent 8 }}
      livenessProbe:
        {{- include "cognate.probe" (dict "root" . "probe" .Values.probes.liveness) | nindent 8 }}
      readinessProbe:
        {{- include "cognate.probe" (dict "root" . "probe" .Values.probes.readiness) | nindent 8 }}
      resources:
        {{- toYaml .Values.resources | nindent 8 }}
      securityContext:
        {{- include "cognate.containerSecurity" . | nindent 8 }}
      volumeMounts:
        {{- include "cognate.mounts" . | nindent 8 }}
  volumes:
    {{- include "cognate.volumes" . | nindent 4 }}
    {{- if eq (include "cognate.shared" .) "true" }}
    # Nothing here has to last: mails as files, when there is no mail server.
    - name: data
      emptyDir:
        sizeLimit: 64Mi
    {{- else if .Values.persistence.existingClaim }}
    - name: data
      persistentVolumeClaim:
        claimName: {{ .Values.persistence.existingClaim }}
    {{- end }}
{{- end }}
