{{- define "outboxd.name" -}}
{{- if contains "outboxd" .Release.Name -}}
{{ .Release.Name | trunc 40 | trimSuffix "-" }}
{{- else -}}
{{ printf "%s-outboxd" .Release.Name | trunc 40 | trimSuffix "-" }}
{{- end -}}
{{- end }}

{{- define "outboxd.selector" -}}
app.kubernetes.io/name: outboxd
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "outboxd.labels" -}}
{{ include "outboxd.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
{{- end }}

{{- define "outboxd.secret" -}}
{{- if .Values.secret.files -}}
{{ include "outboxd.name" . }}
{{- else -}}
{{ .Values.secret.existing }}
{{- end -}}
{{- end }}
