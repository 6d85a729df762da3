{{- /* What no schema can say readably: values that belong together. */ -}}
{{- define "bramble.check" -}}
{{- $faults := list -}}
{{- with .Values.postgresql -}}
{{- if and .enabled .existingSecret -}}
{{- $faults = append $faults "postgresql.enabled and postgresql.existingSecret exclude each other: run one here, or name yours." -}}
{{- else if not (or .enabled .existingSecret) -}}
{{- $faults = append $faults "Say where PostgreSQL is: postgresql.existingSecret names a Secret with its URL; postgresql.enabled=true runs a small one here." -}}
{{- end -}}
{{- end -}}
{{- with .Values.redis -}}
{{- if and .enabled .existingSecret -}}
{{- $faults = append $faults "redis.enabled and redis.existingSecret exclude each other: run one here, or name yours." -}}
{{- end -}}
{{- end -}}
{{- with .Values.storage -}}
{{- if ne (empty .nfs.server) (empty .nfs.path) -}}
{{- $faults = append $faults "storage.nfs needs both: server and path." -}}
{{- end -}}
{{- $ways := without (list .existingClaim .nfs.server .storageClass) "" -}}
{{- if ne (len $ways) 1 -}}
{{- $faults = append $faults "Say where the shared storage is, by exactly one of storage.existingClaim, storage.nfs and storage.storageClass." -}}
{{- end -}}
{{- if not .clusterRoot -}}
{{- $faults = append $faults "storage.clusterRoot is missing: the path at which the nodes of the Slurm cluster mount the shared storage." -}}
{{- end -}}
{{- end -}}
{{- if and (eq .Values.slurm.transport "exec") (not .Values.kubernetes.slurmNamespace) -}}
{{- $faults = append $faults "slurm.transport=exec needs kubernetes.slurmNamespace: the namespace of the pods in which Slurm's commands run." -}}
{{- end -}}
{{- with .Values.slurm -}}
{{- if eq .transport "ssh" -}}
{{- if not .host -}}{{- $faults = append $faults "slurm.host is missing: the login node on which Slurm's commands run." -}}{{- end -}}
{{- if not .hostKey -}}{{- $faults = append $faults "slurm.hostKey is missing: the login node's key, as ssh-keygen -lf prints it (SHA256:…)." -}}{{- end -}}
{{- if not .keySecret.name -}}{{- $faults = append $faults "slurm.keySecret.name is missing: a Secret with the private key for the login node." -}}{{- end -}}
{{- if and (eq .become "setpriv") (ne .user "root") -}}
{{- $faults = append $faults "slurm.become=setpriv needs slurm.user=root; say slurm.become=sudo, or none where the login is the account of all jobs." -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- if and .Values.boards.slurmctld (not .Values.boards.mungeKeySecret.name) -}}
{{- $faults = append $faults "boards.slurmctld needs boards.mungeKeySecret.name: boards join Slurm with munge's key." -}}
{{- end -}}
{{- with .Values.kubernetes.services -}}
{{- if and (eq .scope "namespaces") (not .namespaces) -}}
{{- $faults = append $faults "kubernetes.services.scope=namespaces needs kubernetes.services.namespaces." -}}
{{- end -}}
{{- end -}}
{{- range $name := list "api" "worker" -}}
{{- with (index $.Values $name).autoscaling -}}
{{- if and .enabled (gt (int64 .minReplicas) (int64 .maxReplicas)) -}}
{{- $faults = append $faults (printf "%s.autoscaling: minReplicas is above maxReplicas." $name) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- if $faults -}}
{{- fail (printf "\n\nThe values are not complete:\n  - %s\n" (join "\n  - " $faults)) -}}
{{- end -}}
{{- end -}}
