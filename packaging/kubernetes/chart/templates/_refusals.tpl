{{- /* What the chart refuses, with the reason. The schema judges types and names only, because its
messages cannot say why. */ -}}
{{- define "outboxd.refusals" -}}
{{- if ne (int .Values.replicas) 1 }}
{{- fail (printf "replicas is %v and has to be 1: two relays of one name end each other with exit code 82, and of two names each would publish every event; to pause a relay, uninstall the release: its volume stays" .Values.replicas) }}
{{- end }}
{{- if and (ne .Values.form "beside") (ne (int .Values.mysql.replicas) 1) }}
{{- fail (printf "mysql.replicas is %v, and form %s needs a MySQL of one pod: each pod would have a relay with a checkpoint of its own, and after a failover events would be sent again or be missing; use form beside, with all servers in mysql.host" .Values.mysql.replicas .Values.form) }}
{{- end }}
{{- if ne .Values.form "beside" }}
{{- $host := regexFind `(?m)^[ \t]*host[ \t]*=.*$` .Values.config | splitList "=" | last | trim }}
{{- if not (regexMatch `^((127\.0\.0\.1|localhost|\[::1\])(:[0-9]+)?)?([ \t]+#.*)?$` $host) }}
{{- fail (printf "config has host = %s, and form %s reads the MySQL of its own pod: write host = 127.0.0.1, or begin with values-sidecar.yaml" $host .Values.form) }}
{{- end }}
{{- if not (regexMatch `(?m)^[ \t]*require[ \t]*=[ \t]*writable\b` .Values.config) }}
{{- fail (printf "config lacks require = writable in [mysql], and form %s needs it: a relay whose own server is read-only has to wait, for the events are written elsewhere" .Values.form) }}
{{- end }}
{{- end }}
{{- if and .Values.memory.limitMiB (lt (int .Values.memory.limitMiB) (int (include "outboxd.memoryMiB" .))) }}
{{- fail (printf "memory.limitMiB is %v, and the relay may take %s MiB: 64 MiB, the bytes in flight, and twice memory.maxAllowedPacketMiB; with less it would hold at a large event, or be killed" .Values.memory.limitMiB (include "outboxd.memoryMiB" .)) }}
{{- end }}
{{- if and .Values.monitoring.serviceMonitor (not .Values.monitoring.port) }}
{{- fail "monitoring.serviceMonitor is true, and monitoring.port is 0: Prometheus reaches the relay at a port only; write monitoring.port: 9464" }}
{{- end }}
{{- if hasKey .Values.secret.files "outboxd.conf" }}
{{- fail "secret.files has outboxd.conf, which is the name of the configuration in the same folder: choose another name" }}
{{- end }}
{{- if not (include "outboxd.secret" .) }}
{{- fail "secret.existing and secret.files are both empty, and the relay needs its passwords: name a Secret, or give the files" }}
{{- end }}
{{- end }}
