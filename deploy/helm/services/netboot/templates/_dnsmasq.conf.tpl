{{- define "netboot.dnsmasq" -}}
{{- $dhcp := .Values.dhcp -}}
# No DNS.
port=0
# In the foreground, and as who it is started: becoming somebody else would need more capabilities than it has.
no-daemon
log-dhcp
interface={{ .Values.interface }}
bind-interfaces
dhcp-leasefile=/var/lib/dnsmasq/leases

enable-tftp
tftp-root=/srv/tftp
# Only these are told where to start from. Boards take 0 for their own architecture, as PCs do. The three spaces are for the
# ROM of a Pi 3, which compares that many characters.
pxe-service=tag:netboot,0,"Raspberry Pi Boot   "
{{- if eq $dhcp.mode "full" }}

dhcp-range={{ if $dhcp.pool }}{{ $dhcp.pool.first }},{{ $dhcp.pool.last }}{{ else }}{{ $dhcp.subnet }},static{{ end }},{{ $dhcp.netmask }},{{ $dhcp.leaseTime }}
# The network's only server: clients keep their addresses although leases do not outlive the pod.
dhcp-authoritative
dhcp-option=option:router{{ with $dhcp.gateway }},{{ . }}{{ end }}
dhcp-option=option:dns-server{{ range $dhcp.nameServers }},{{ . }}{{ end }}
{{- with $dhcp.timeServers }}
dhcp-option=option:ntp-server,{{ join "," . }}
{{- end }}
{{- with $dhcp.domain }}
domain={{ . }}
{{- end }}
{{- else }}

dhcp-range={{ $dhcp.subnet }},proxy,{{ $dhcp.netmask }}
dhcp-ignore=tag:!netboot
{{- end }}
{{- range .Values.boards }}
{{- if or (eq $dhcp.mode "full") (eq .boot "network") }}
dhcp-host={{ .mac }}{{ if eq .boot "network" }},set:netboot{{ end }}{{ with .address }},{{ . }}{{ end }}{{ if eq $dhcp.mode "full" }},{{ .name }}{{ end }}
{{- end }}
{{- end }}
{{- end -}}
