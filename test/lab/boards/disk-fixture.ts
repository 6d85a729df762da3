import { NODES_READY } from './disk-nodes.ts';

const WAIT = '/usr/lib/lab-programs/wait-for-disk';

const WAIT_PROGRAM = `#!/bin/sh
# A fixture of Bramble's lab: nothing is mounted before the nodes of the disk are there.
tries=0
until [ -e ${NODES_READY} ] || [ "$tries" -ge 100 ]; do
  sleep 0.1
  tries=$((tries + 1))
done
`;

const WAIT_UNIT = `# A fixture of Bramble's lab: in place of udev's settling.
[Unit]
Description=Nodes of the disk
DefaultDependencies=no
Before=local-fs-pre.target
Wants=local-fs-pre.target
ConditionDirectoryNotEmpty=/sys/block

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=${WAIT}

[Install]
WantedBy=sysinit.target
`;

const FSTAB_GENERATOR = `#!/bin/sh
# A fixture of Bramble's lab: in a container, systemd's own generator leaves out the lines of /etc/fstab that name devices.
sed -n '/^[[:space:]]*\\(UUID=\\|LABEL=\\|PARTUUID=\\|PARTLABEL=\\|\\/dev\\/\\)/p' /etc/fstab | while read -r what where type options _; do
  case "$what" in
    UUID=*) what="/dev/disk/by-uuid/\${what#UUID=}" ;;
    LABEL=*) what="/dev/disk/by-label/\${what#LABEL=}" ;;
  esac
  [ "$where" != / ] || continue
  unit=$(systemd-escape --path --suffix=mount "$where")
  printf '[Unit]\\nSourcePath=/etc/fstab\\nBefore=local-fs.target\\n[Mount]\\nWhat=%s\\nWhere=%s\\nType=%s\\nOptions=%s\\n' \\
    "$what" "$where" "$type" "$options" > "$1/$unit"
  kind=requires
  case ",$options," in
    *,noauto,*) continue ;;
    *,nofail,*) kind=wants ;;
  esac
  mkdir -p "$1/local-fs.target.$kind"
  ln -sf "../$unit" "$1/local-fs.target.$kind/$unit"
done
`;

export const DISK_FILES = [
  { path: WAIT, content: WAIT_PROGRAM, mode: 0o755 },
  { path: '/etc/systemd/system-generators/lab-fstab', content: FSTAB_GENERATOR, mode: 0o755 },
  { path: '/etc/systemd/system/lab-disk.service', content: WAIT_UNIT, mode: 0o644 },
] as const;

export const DISK_COMMANDS = [{ argv: ['systemctl', 'enable', '--quiet', 'lab-disk.service'] }] as const;
