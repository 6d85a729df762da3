{{- define "slurm.slurmdbdConf" -}}
{{- $database := .Values.accounting.database -}}
AuthType=auth/munge
DbdHost={{ include "slurm.fullname" . }}-accounting
DbdPort=6819
SlurmUser=slurm
PidFile=/run/slurm/slurmdbd.pid
StorageType=accounting_storage/mysql
StorageHost={{ $database.host }}
StoragePort={{ int64 $database.port }}
StorageLoc={{ $database.name }}
StorageUser={{ $database.user }}
{{- end -}}
