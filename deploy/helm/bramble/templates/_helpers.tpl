{{- define "bramble.fullname" -}}
{{- .Release.Name | trunc 40 | trimSuffix "-" -}}
{{- end -}}

{{- /* Labels of a component: (dict "root" . "component" "api") */ -}}
{{- define "bramble.selector" -}}
app.kubernetes.io/name: bramble
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .component }}
{{- end -}}

{{- define "bramble.labels" -}}
{{ include "bramble.selector" . }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ .root.Chart.Name }}-{{ .root.Chart.Version }}
{{- end -}}

{{- define "bramble.image" -}}
{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}
{{- end -}}

{{- /* What api and worker have in common. */ -}}
{{- define "bramble.environment" -}}
- { name: BRAMBLE_STORAGE_ROOT, value: /srv/bramble/storage }
- { name: BRAMBLE_STORAGE_CLUSTER_ROOT, value: {{ printf "%s/storage" (trimSuffix "/" .Values.storage.clusterRoot) | quote }} }
- { name: BRAMBLE_STORAGE_GROUP_ID, value: {{ .Values.storage.groupId | quote }} }
{{- end -}}

{{- define "bramble.probes" -}}
startupProbe: { httpGet: { path: /healthz, port: http }, periodSeconds: 2, failureThreshold: 60 }
livenessProbe: { httpGet: { path: /healthz, port: http }, periodSeconds: 10 }
readinessProbe: { httpGet: { path: /readyz, port: http }, periodSeconds: 5 }
{{- end -}}
