{{- define "bramble.fullname" -}}
{{- .Values.fullnameOverride | default .Release.Name | trunc 40 | trimSuffix "-" -}}
{{- end -}}

{{- /* What selects the pods of a component: (dict "root" . "component" "api") */ -}}
{{- define "bramble.selector" -}}
app.kubernetes.io/name: bramble
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .component }}
{{- end -}}

{{- define "bramble.labels" -}}
{{ include "bramble.selector" . }}
app.kubernetes.io/part-of: bramble
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version | replace "+" "_" }}
{{- end -}}

{{- /* Of pods. What changes with every release of the chart is left out: it would restart what need not restart. */ -}}
{{- define "bramble.podLabels" -}}
{{ include "bramble.selector" . }}
app.kubernetes.io/part-of: bramble
{{- end -}}

{{- /* Reference of an image: (dict "root" . "image" .Values.images.api) */ -}}
{{- define "bramble.image" -}}
{{- $tag := .image.tag | default .root.Chart.AppVersion -}}
{{- printf "%s:%s" .image.repository $tag -}}
{{- with .image.digest }}@{{ . }}{{ end -}}
{{- end -}}

{{- define "bramble.serviceAccount" -}}
{{- $account := index .root.Values.serviceAccounts .component -}}
{{- $account.name | default (printf "%s-%s" (include "bramble.fullname" .root) .component) -}}
{{- end -}}

{{- define "bramble.storageClaim" -}}
{{- .Values.storage.existingClaim | default (printf "%s-storage" (include "bramble.fullname" .)) -}}
{{- end -}}

{{- /* Name of the Secret of what the chart makes up itself. */ -}}
{{- define "bramble.generated" -}}
{{ include "bramble.fullname" . }}-generated
{{- end -}}

{{- /* Where the worker asks the API server anything. */ -}}
{{- define "bramble.workerUsesKubernetes" -}}
{{- $kubernetes := .Values.kubernetes -}}
{{- if or $kubernetes.nodes (eq .Values.slurm.transport "exec") (ne $kubernetes.services.scope "none") }}true{{ end -}}
{{- end -}}

{{- /* Where the api asks the API server anything. */ -}}
{{- define "bramble.apiUsesKubernetes" -}}
{{- if or .Values.kubernetes.views (ne .Values.kubernetes.services.scope "none") }}true{{ end -}}
{{- end -}}

{{- /* Port of the lab's registry; '' where none is given. */ -}}
{{- define "bramble.registryPort" -}}
{{- with .Values.kubernetes.registry -}}
{{- $url := urlParse . -}}
{{- regexFind "[0-9]+$" (regexFind ":[0-9]+$" $url.host) | default (ternary "443" "80" (eq $url.scheme "https")) -}}
{{- end -}}
{{- end -}}

{{- /* One variable from a Secret: (list NAME SECRET KEY) */ -}}
{{- define "bramble.fromSecret" -}}
- { name: {{ index . 0 }}, valueFrom: { secretKeyRef: { name: {{ index . 1 | quote }}, key: {{ index . 2 | quote }} } } }
{{- end -}}

{{- define "bramble.databaseUrl" -}}
{{- with .Values.postgresql -}}
{{- $secret := ternary (include "bramble.generated" $) .existingSecret .enabled -}}
{{- include "bramble.fromSecret" (list "DATABASE_URL" $secret (ternary "DATABASE_URL" .key .enabled)) -}}
{{- end -}}
{{- end -}}

{{- /* What api and worker have in common. */ -}}
{{- define "bramble.environment" -}}
{{ include "bramble.databaseUrl" . }}
{{- with .Values.redis }}
{{- if or .enabled .existingSecret }}
{{- $secret := ternary (include "bramble.generated" $) .existingSecret .enabled }}
{{ include "bramble.fromSecret" (list "REDIS_URL" $secret (ternary "REDIS_URL" .key .enabled)) }}
{{- end }}
{{- end }}
{{- with .Values.secretKeys }}
{{- $key := ternary .key "BRAMBLE_SECRET_KEYS" (ne .existingSecret "") }}
{{ include "bramble.fromSecret" (list "BRAMBLE_SECRET_KEYS" (.existingSecret | default (include "bramble.generated" $)) $key) }}
{{- end }}
- { name: BRAMBLE_DATABASE_POOL, value: {{ .Values.postgresql.pool | int64 | quote }} }
- { name: BRAMBLE_HOME, value: /var/lib/bramble }
- { name: BRAMBLE_STORAGE_ROOT, value: /srv/bramble/storage }
- { name: BRAMBLE_STORAGE_CLUSTER_ROOT, value: {{ printf "%s/storage" .Values.storage.clusterRoot | quote }} }
{{- if not .Values.account }}
- { name: BRAMBLE_STORAGE_GROUP_ID, value: {{ .Values.storage.groupId | int64 | quote }} }
{{- end }}
- { name: BRAMBLE_DOMAIN, value: {{ .Values.domain | quote }} }
- { name: BRAMBLE_BOARD_SUBNET, value: {{ .Values.boards.subnet | quote }} }
- { name: BRAMBLE_LOG_LEVEL, value: {{ .Values.logLevel | quote }} }
{{- with include "bramble.given" (dict
  "BRAMBLE_BOARD_SLURM" .Values.boards.slurmctld
  "BRAMBLE_REGISTRY" .Values.kubernetes.registry
  "BRAMBLE_STORAGE_CLASS" .Values.kubernetes.storageClass
) }}
{{ . | trim }}
{{- end }}
{{- end -}}

{{- /* A variable for each value that is not empty: (dict NAME value …). JSON has large numbers without an exponent. */ -}}
{{- define "bramble.given" -}}
{{- range $name, $value := . }}
{{- $text := kindIs "string" $value | ternary $value (toJson $value) }}
{{- if $text }}
- { name: {{ $name }}, value: {{ $text | quote }} }
{{- end }}
{{- end }}
{{- end -}}

{{- define "bramble.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: { drop: [ALL] }
{{- end -}}

{{- /* Brings the schema up to date before the process starts: no probe cuts it short. */ -}}
{{- define "bramble.migrate" -}}
- name: migrate
  image: {{ include "bramble.image" . | quote }}
  imagePullPolicy: {{ .root.Values.images.pullPolicy }}
  args: [/app/dist/migrate.js]
  securityContext:
    runAsNonRoot: true
    runAsUser: {{ .root.Values.account.uid | default .root.Values.storage.groupId | int64 }}
    {{- include "bramble.containerSecurity" . | nindent 4 }}
  env:
    {{- include "bramble.databaseUrl" .root | nindent 4 }}
  resources: { requests: { cpu: 50m, memory: 96Mi }, limits: { memory: 256Mi } }
  volumeMounts: [{ name: tmp, mountPath: /tmp }]
{{- end -}}

{{- /* Where pods may run, and who may fetch their images: (dict "root" .) */ -}}
{{- define "bramble.scheduling" -}}
{{- $values := .root.Values -}}
{{- with $values.scheduling -}}
affinity:
  {{- if .affinity }}
  {{- toYaml .affinity | nindent 2 }}
  {{- else }}
  nodeAffinity:
    requiredDuringSchedulingIgnoredDuringExecution:
      nodeSelectorTerms:
        - matchExpressions:
            - { key: kubernetes.io/os, operator: In, values: [linux] }
            - { key: kubernetes.io/arch, operator: In, values: {{ toJson .architectures }} }
  {{- end }}
{{- with .nodeSelector }}
nodeSelector: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .tolerations }}
tolerations: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .priorityClassName }}
priorityClassName: {{ . | quote }}
{{- end }}
{{- end }}
{{- with $values.images.pullSecrets }}
imagePullSecrets:
  {{- range . }}
  - { name: {{ . | quote }} }
  {{- end }}
{{- end }}
{{- end -}}

{{- define "bramble.spread" -}}
topologySpreadConstraints:
  - maxSkew: 1
    topologyKey: kubernetes.io/hostname
    whenUnsatisfiable: ScheduleAnyway
    matchLabelKeys: [pod-template-hash]
    labelSelector:
      matchLabels: {{- include "bramble.selector" . | nindent 8 }}
{{- end -}}

{{- /* What api and worker call both. */ -}}
{{- define "bramble.egressOfAll" -}}
# Names.
- ports: [{ protocol: UDP, port: 53 }, { protocol: TCP, port: 53 }]
{{- if .Values.postgresql.enabled }}
- to: [{ podSelector: { matchLabels: {{ include "bramble.selector" (dict "root" . "component" "postgresql") | fromYaml | toJson }} } }]
  ports: [{ protocol: TCP, port: 5432 }]
{{- else }}
- ports: [{ protocol: TCP, port: {{ .Values.networkPolicy.postgresqlPort }} }]
{{- end }}
{{- if .Values.redis.enabled }}
- to: [{ podSelector: { matchLabels: {{ include "bramble.selector" (dict "root" . "component" "redis") | fromYaml | toJson }} } }]
  ports: [{ protocol: TCP, port: 6379 }]
{{- else if .Values.redis.existingSecret }}
- ports: [{ protocol: TCP, port: {{ .Values.networkPolicy.redisPort }} }]
{{- end }}
{{- end -}}
