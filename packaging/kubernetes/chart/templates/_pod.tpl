{{- /*
The parts of a pod with a relay. Another chart takes them for a sidecar in its own pod: with this
chart as a dependency, and 'form: library' among its values,

  metadata:
    annotations:
      {{- include "outboxd.annotations" .Subcharts.outboxd | nindent 8 }}
  spec:
    securityContext:
      fsGroup: ...        # Any. By it the relay reads its files, and writes to its volume.
    initContainers:
      {{- include "outboxd.sidecar" .Subcharts.outboxd | nindent 8 }}
    volumes:
      {{- include "outboxd.volumes" .Subcharts.outboxd | nindent 8 }}
  volumeClaimTemplates:
    {{- include "outboxd.volumeClaim" .Subcharts.outboxd | nindent 4 }}
*/ -}}

{{- /* A pod is replaced when its configuration changes. */ -}}
{{- define "outboxd.annotations" -}}
checksum/config: {{ .Values.config | sha256sum }}
{{- with .Values.secret.files }}
checksum/secret: {{ toJson . | sha256sum }}
{{- end }}
{{- end }}

{{- /* How a probe asks: by HTTP where the relay has a port, else by the program at its socket. */ -}}
{{- define "outboxd.live" -}}
{{- if .Values.monitoring.port -}}
httpGet:
  path: /healthz
  port: http-outboxd
{{- else -}}
exec:
  command: ["/usr/bin/outboxd", "health", "--live", "--config", "/etc/outboxd/outboxd.conf"]
{{- end -}}
{{- end }}

{{- define "outboxd.ready" -}}
{{- if .Values.monitoring.port -}}
httpGet:
  path: /readyz
  port: http-outboxd
{{- else -}}
exec:
  command: ["/usr/bin/outboxd", "health", "--config", "/etc/outboxd/outboxd.conf"]
{{- end -}}
{{- end }}

{{- define "outboxd.container" -}}
name: outboxd
image: "{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}"
imagePullPolicy: {{ .Values.image.pullPolicy }}
args:
  - run
  - --config
  - /etc/outboxd/outboxd.conf
  {{- if ne .Values.form "beside" }}
  # Whatever stands in the file: an end would take the database out of its Service.
  - --relay.on-halt=park
  {{- end }}
  {{- with .Values.monitoring.port }}
  - --http.listen=0.0.0.0:{{ . }}
  {{- end }}
{{- with .Values.monitoring.port }}
ports:
  - name: http-outboxd
    containerPort: {{ . }}
{{- end }}
env:
  - name: RUNTIME_DIRECTORY
    value: /run/outboxd
resources:
  {{- include "outboxd.resources" . | nindent 2 }}
securityContext:
  runAsNonRoot: true
  runAsUser: 10001
  runAsGroup: 10001
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities:
    drop:
      - ALL
  seccompProfile:
    type: RuntimeDefault
# Neither asks MySQL or Kafka: no outage of theirs ends the relay.
startupProbe:
  {{- include "outboxd.live" . | nindent 2 }}
  periodSeconds: 2
  timeoutSeconds: 5
  failureThreshold: 30
# As long as the watchdog of the systemd unit: a minute.
livenessProbe:
  {{- include "outboxd.live" . | nindent 2 }}
  periodSeconds: 20
  timeoutSeconds: 5
  failureThreshold: 3
volumeMounts:
  - name: outboxd-config
    mountPath: /etc/outboxd
    readOnly: true
  - name: outboxd-state
    mountPath: /var/lib/outboxd
  - name: outboxd-run
    mountPath: /run/outboxd
{{- end }}

{{- /* Kubernetes starts it before the containers of the pod, and stops it after them. It has no
readiness probe: whatever Kafka does, the database stays in its Service. */ -}}
{{- define "outboxd.sidecar" -}}
- {{ include "outboxd.container" . | nindent 2 | trim }}
  restartPolicy: Always
{{- end }}

{{- define "outboxd.volumes" -}}
# One folder, so that the paths are those of every other machine.
- name: outboxd-config
  projected:
    # By the group of the pod, fsGroup.
    defaultMode: 0440
    sources:
      - configMap:
          name: {{ include "outboxd.name" . }}
      - secret:
          name: {{ include "outboxd.secret" . }}
# For the socket that the probes ask.
- name: outboxd-run
  emptyDir:
    medium: Memory
    sizeLimit: 1Mi
{{- end }}

{{- define "outboxd.volumeClaim" -}}
- metadata:
    name: outboxd-state
  spec:
    accessModes:
      - {{ .Values.state.accessMode }}
    {{- with .Values.state.storageClass }}
    storageClassName: {{ . }}
    {{- end }}
    resources:
      requests:
        storage: {{ .Values.state.size }}
{{- end }}

{{- /* What both pods of this chart share. */ -}}
{{- define "outboxd.podSpec" -}}
serviceAccountName: {{ include "outboxd.name" . }}
automountServiceAccountToken: false
terminationGracePeriodSeconds: {{ .Values.terminationGracePeriodSeconds }}
securityContext:
  fsGroup: 10001
  # A large volume is not walked at every start.
  fsGroupChangePolicy: OnRootMismatch
{{- with .Values.imagePullSecrets }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.affinity }}
affinity:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- end }}

{{- define "outboxd.podMetadata" -}}
labels:
  {{- include "outboxd.labels" . | nindent 2 }}
annotations:
  {{- include "outboxd.annotations" . | nindent 2 }}
  {{- with .Values.podAnnotations }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- end }}
