{{- define "netboot.fullname" -}}
{{- .Release.Name | trunc 50 | trimSuffix "-" -}}
{{- end -}}

{{- define "netboot.selector" -}}
app.kubernetes.io/name: netboot
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "netboot.labels" -}}
{{ include "netboot.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ .Chart.Name }}-{{ .Chart.Version }}
{{- end -}}

{{- define "netboot.image" -}}
{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}{{ with .Values.image.digest }}@{{ . }}{{ end }}
{{- end -}}

{{- /* The directory in which the firmware of a board looks for its files. */ -}}
{{- define "netboot.directory" -}}
{{- substr (sub (len .) 8 | int) (len .) . -}}
{{- end -}}

{{- /* What the schema cannot say. */ -}}
{{- define "netboot.check" -}}
{{- $seen := dict -}}
{{- range .Values.boards -}}
  {{- $board := . -}}
  {{- if and (eq $.Values.dhcp.mode "full") (not .address) -}}
    {{- fail (printf "The board %s needs an address: in mode full this server gives it" .name) -}}
  {{- end -}}
  {{- if and (eq $.Values.dhcp.mode "proxy") .address -}}
    {{- fail (printf "The board %s has an address: in mode proxy the other server gives it, so set it there" .name) -}}
  {{- end -}}
  {{- range $what, $value := dict "name" .name "serial number" (include "netboot.directory" .serial) "mac" .mac "address" .address -}}
    {{- $key := printf "%s %s" $what $value -}}
    {{- if and $value (hasKey $seen $key) -}}
      {{- fail (printf "The boards %s and %s have the same %s" (get $seen $key) $board.name $key) -}}
    {{- end -}}
    {{- $_ := set $seen $key $board.name -}}
  {{- end -}}
{{- end -}}
{{- if eq (empty .Values.tftp.existingClaim) (empty .Values.tftp.nfs) -}}
  {{- fail "tftp needs either existingClaim or nfs; to use a claim, set tftp.nfs to null" -}}
{{- end -}}
{{- end -}}
