{{- /* What the relay takes at most, in MiB: MemoryNeed() in daemon/preparation/memory_need.cc. */ -}}
{{- define "outboxd.memoryMiB" -}}
{{- add (include "outboxd.memoryWithoutRowsMiB" . | int) (mul 2 (int .Values.memory.maxAllowedPacketMiB)) -}}
{{- end }}

{{- /* The program itself, and delivery.in-flight-bytes-max: 32MiB, where the configuration is silent. */ -}}
{{- define "outboxd.memoryWithoutRowsMiB" -}}
{{- $found := regexFind `(?m)^[ \t]*in-flight-bytes-max[ \t]*=[ \t]*[0-9]+([KMG]i?B)?` .Values.config | default "=32MiB" -}}
{{- $factors := dict "KB" 1000 "MB" 1000000 "GB" 1000000000 "KiB" 1024 "MiB" 1048576 "GiB" 1073741824 -}}
{{- $factor := regexFind `[KMG]i?B$` $found | get $factors | default 1 -}}
{{- $bytes := mul (regexFind `[0-9]+` $found | int64) $factor -}}
{{- add 64 (div (add $bytes 1048575) 1048576) -}}
{{- end }}

{{- define "outboxd.resources" -}}
requests:
  cpu: {{ .Values.cpuRequest }}
  memory: {{ include "outboxd.memoryWithoutRowsMiB" . }}Mi
limits:
  memory: {{ .Values.memory.limitMiB | default (include "outboxd.memoryMiB" .) }}Mi
{{- end }}
