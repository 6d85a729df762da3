{{- define "slurm.fullname" -}}
{{- .Release.Name | trunc 40 | trimSuffix "-" -}}
{{- end -}}

{{- /* Labels of a component: (dict "root" . "component" "controller") */ -}}
{{- define "slurm.selector" -}}
app.kubernetes.io/name: slurm
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .component }}
{{- end -}}

{{- define "slurm.labels" -}}
{{ include "slurm.selector" . }}
app.kubernetes.io/version: {{ .root.Values.release | quote }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ .root.Chart.Name }}-{{ .root.Chart.Version }}
{{- end -}}

{{- define "slurm.image" -}}
{{ .Values.image.repository }}:{{ .Values.image.tag | default (printf "%s-%s" .Values.release .Chart.AppVersion) }}{{ with .Values.image.digest }}@{{ . }}{{ end }}
{{- end -}}

{{- define "slurm.mungeSecret" -}}
{{ .Values.munge.existingSecret | default (printf "%s-munge" (include "slurm.fullname" .)) }}
{{- end -}}

{{- /* The accounts of the image: Debian's number for slurm, which boards have as well, and one that the image makes. */ -}}
{{- define "slurm.uid" -}}64030{{- end -}}
{{- define "munge.uid" -}}64031{{- end -}}

{{- define "slurm.podBasics" -}}
automountServiceAccountToken: false
{{- with .Values.nodeSelector }}
nodeSelector: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.tolerations }}
tolerations: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.imagePullSecrets }}
imagePullSecrets: {{- toYaml . | nindent 2 }}
{{- end }}
securityContext:
  runAsUser: {{ include "slurm.uid" . }}
  runAsGroup: {{ include "slurm.uid" . }}
  runAsNonRoot: true
  fsGroup: {{ include "slurm.uid" . }}
  fsGroupChangePolicy: OnRootMismatch
  seccompProfile: { type: RuntimeDefault }
{{- end -}}

{{- define "slurm.unprivileged" -}}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities: { drop: [ALL] }
{{- end -}}

{{- /* munged has its key and its socket in directories that only it may write to, or it does not start. */ -}}
{{- define "slurm.mungeContainers" -}}
- name: munge-key
  image: {{ include "slurm.image" . }}
  imagePullPolicy: {{ .Values.image.pullPolicy }}
  command:
    - sh
    - -c
    - {{ .Files.Get "files/munge-key.sh" | toYaml | nindent 6 | trim }}
    - munge-key
    - {{ include "munge.uid" . | quote }}
  securityContext:
    runAsUser: 0
    runAsGroup: 0
    runAsNonRoot: false
    allowPrivilegeEscalation: false
    readOnlyRootFilesystem: true
    capabilities: { drop: [ALL], add: [CHOWN] }
  resources: {{- toYaml .Values.resources.munge | nindent 4 }}
  volumeMounts:
    - { name: munge-secret, mountPath: /run/secrets/munge, readOnly: true }
    - { name: munge-key, mountPath: /etc/munge }
    - { name: munge-socket, mountPath: /run/munge }
- name: munged
  restartPolicy: Always
  image: {{ include "slurm.image" . }}
  imagePullPolicy: {{ .Values.image.pullPolicy }}
  command:
    - munged
    - --foreground
    - --key-file=/etc/munge/munge.key
    - --socket=/run/munge/munge.socket.2
    - --pid-file=/run/munge/munged.pid
    - --seed-file=/run/munge/munged.seed
  startupProbe: { exec: { command: [test, -S, /run/munge/munge.socket.2] }, periodSeconds: 1, failureThreshold: 30 }
  securityContext:
    runAsUser: {{ include "munge.uid" . }}
    runAsGroup: {{ include "munge.uid" . }}
    allowPrivilegeEscalation: false
    readOnlyRootFilesystem: true
    capabilities: { drop: [ALL] }
  resources: {{- toYaml .Values.resources.munge | nindent 4 }}
  volumeMounts:
    - { name: munge-key, mountPath: /etc/munge, readOnly: true }
    - { name: munge-socket, mountPath: /run/munge }
{{- end -}}

{{- define "slurm.mungeVolumes" -}}
- { name: munge-secret, secret: { secretName: {{ include "slurm.mungeSecret" . | quote }}, defaultMode: 0400 } }
- { name: munge-key, emptyDir: { medium: Memory, sizeLimit: 1Mi } }
- { name: munge-socket, emptyDir: { sizeLimit: 1Mi } }
{{- end -}}

{{- /* What the schema cannot say. */ -}}
{{- define "slurm.check" -}}
{{- $seen := dict -}}
{{- range .Values.accounts -}}
  {{- $account := . -}}
  {{- range $what, $value := dict "name" .name "uid" (int64 .uid) "gid" (int64 .gid) -}}
    {{- $key := printf "%s %v" $what $value -}}
    {{- if hasKey $seen $key -}}
      {{- fail (printf "The accounts %s and %s have the same %s" (get $seen $key) $account.name $key) -}}
    {{- end -}}
    {{- $_ := set $seen $key $account.name -}}
  {{- end -}}
{{- end -}}
{{- $defaults := list -}}
{{- range .Values.partitions -}}
  {{- if .default -}}{{- $defaults = append $defaults .name -}}{{- end -}}
{{- end -}}
{{- if gt (len $defaults) 1 -}}
  {{- fail (printf "Only one partition can be the default: %s" (join ", " $defaults)) -}}
{{- end -}}
{{- end -}}
