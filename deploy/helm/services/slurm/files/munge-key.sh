# Only munge may read its key, and nobody else change what is beside it. After a power cut both directories are munge's.
set -eu
chown 0:0 /etc/munge /run/munge
chmod 0755 /etc/munge /run/munge
umask 077
rm -f /etc/munge/munge.key
cat /run/secrets/munge/munge.key > /etc/munge/munge.key
chmod 0400 /etc/munge/munge.key
chown "$1:$1" /etc/munge/munge.key /etc/munge /run/munge
