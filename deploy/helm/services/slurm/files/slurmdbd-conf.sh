# slurmdbd refuses a configuration that others can read.
set -eu
umask 077
cat /etc/slurmdbd-template/slurmdbd.conf > /etc/slurm/slurmdbd.conf.new
printf 'StoragePass=%s\n' "$(cat "/run/secrets/database/$1")" >> /etc/slurm/slurmdbd.conf.new
mv /etc/slurm/slurmdbd.conf.new /etc/slurm/slurmdbd.conf
