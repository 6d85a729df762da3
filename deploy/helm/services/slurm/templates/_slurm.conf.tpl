{{- /* (dict "root" . "address" "where clients find the controller") */ -}}
{{- define "slurm.conf" -}}
{{- $values := .root.Values -}}
{{- $fullname := include "slurm.fullname" .root -}}
# Made by the chart slurm; boards get it from slurmctld.
ClusterName={{ $values.clusterName }}
SlurmctldHost={{ $fullname }}-0({{ .address }})
SlurmctldPort=6817
SlurmdPort=6818
SlurmUser=slurm
AuthType=auth/munge
CredType=cred/munge

StateSaveLocation=/var/lib/slurm/slurmctld
SlurmctldPidFile=/run/slurm/slurmctld.pid
SlurmdSpoolDir=/var/lib/slurm/slurmd
SlurmdPidFile=/run/slurmd.pid
SlurmdLogFile=/var/log/slurm/slurmd.log
# The image has no mail.
MailProg=/bin/true

# Nodes fetch this file, and join without being named in it. @see https://slurm.schedmd.com/dynamic_nodes.html
SlurmctldParameters=enable_configless
MaxNodeCount={{ $values.maxNodes }}
SelectType=select/cons_tres
{{- if not (hasKey $values.settings "SelectTypeParameters") }}
SelectTypeParameters=CR_Core_Memory
{{- end }}
{{- if eq $values.release "22.05" }}
# Nodes of 22.05 do not know each other's addresses, and can pass nothing on.
TreeWidth=65533
{{- end }}
{{- if $values.accounting.enabled }}
AccountingStorageType=accounting_storage/slurmdbd
AccountingStorageHost={{ $fullname }}-accounting
AccountingStoragePort=6819
{{- else }}
AccountingStorageType=accounting_storage/none
{{- end }}
{{ range $name, $value := $values.settings }}
{{- if not (kindIs "invalid" $value) }}
{{ $name }}={{ if kindIs "float64" $value }}{{ int64 $value }}{{ else }}{{ $value }}{{ end }}
{{- end }}
{{- end }}
{{ range $values.partitions }}
{{- if .feature }}
NodeSet={{ .name }} Feature={{ .feature }}
{{- end }}
PartitionName={{ .name }} Nodes={{ if .feature }}{{ .name }}{{ else }}{{ .nodes }}{{ end }} Default={{ if .default }}YES{{ else }}NO{{ end }}
{{- with .maxTime }} MaxTime={{ . }}{{ end }}
{{- with .defaultTime }} DefaultTime={{ . }}{{ end }}
{{- with .maxNodes }} MaxNodes={{ . }}{{ end }}
{{- with .priorityTier }} PriorityTier={{ . }}{{ end }}
{{- with .overSubscribe }} OverSubscribe={{ . }}{{ end }}
{{- with .allowGroups }} AllowGroups={{ join "," . }}{{ end }} State={{ .state | default "UP" }}
{{ end -}}
{{- end -}}

{{- define "slurm.cgroupConf" -}}
# Boards get it from slurmctld.
ConstrainCores=yes
ConstrainRAMSpace=yes
{{- end -}}
