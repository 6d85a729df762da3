import { ARMED, DONE, FIRING, STATE_DIRECTORY, UNFINISHED } from './undo-files.ts';

const UNDO_UNIT = 'bramble-network-undo';
export const UNDO_SCRIPT = `${STATE_DIRECTORY}/network-undo.sh`;
const AT_BOOT = `${UNDO_UNIT}-at-boot.service`;
export const AT_BOOT_FILE = `/etc/systemd/system/${AT_BOOT}`;
const LOG = `${STATE_DIRECTORY}/network.log`;
const LOCK = '/run/bramble-network.lock';
const KEPT = `${ARMED}.kept`;
/** A change that hangs is ended, so that its undo is not kept waiting. */
const CHANGE_SECONDS = 60;

/** Exit code of {@link KEEP} where the change is being undone, or has been. */
export const NOT_ARMED = 4;
/** Exit code of {@link ARM_AND_CHANGE} where the manager does not take the files. */
export const NOT_VALID = 5;

/** A DHCP client that is started outlives what has started it. */
const DETACHED = 'systemd-run --quiet --setenv=LC_ALL=C --property=KillMode=process';

/**
 * Goes with the files of one change. `$1`: `new` makes it, `old` undoes it, `boot` undoes it where no network is up
 * yet. Addresses are taken away by hand: a dhcpcd that is set to persist leaves them.
 */
export const CHANGE = `
directory=\${0%/*}
. "$directory/settings"
leave() {
  case "$manager" in
    ifupdown) ifdown --force "$interface" ;;
    dhcpcd) systemctl stop dhcpcd ;;
    *) return 0 ;;
  esac
  ip -4 address flush dev "$interface" scope global
}
swap() {
  number=0
  while IFS= read -r path; do
    number=$((number + 1))
    if [ -e "$directory/$1/$number" ] || [ -L "$directory/$1/$number" ]; then
      mkdir -p -- "\${path%/*}"
      cp -a -- "$directory/$1/$number" "$path.bramble-new" && mv -T -- "$path.bramble-new" "$path" || return 1
    else
      rm -f -- "$path"
    fi
  done < "$directory/files"
  sync
}
activate_profile() {
  nmcli connection reload
  if [ "$1" = new ]; then nmcli --wait 30 connection up "$after_by" "$after" ifname "$interface"
  else nmcli --wait 30 connection up "$before_by" "$before" ifname "$interface" || nmcli --wait 30 device connect "$interface"; fi
}
enter() {
  case "$manager" in
    ifupdown) ifup "$interface" ;;
    dhcpcd) systemctl start dhcpcd ;;
    systemd-networkd) networkctl reload && networkctl reconfigure "$interface" ;;
    netplan-networkd) netplan generate && networkctl reload && networkctl reconfigure "$interface" ;;
    NetworkManager) activate_profile "$1" ;;
    netplan-NetworkManager) netplan generate && activate_profile "$1" ;;
  esac
}
arrived() {
  waited=0
  until ip -o -4 address show dev "$interface" | grep -qF " $address/"; do
    waited=$((waited + 1))
    [ "$waited" -le 60 ] || return 1
    sleep 0.5
  done
}
case "$1" in
  new) leave; swap new && enter new && arrived ;;
  old) leave; swap old; enter old ;;
  boot)
    swap old
    case "$manager" in netplan-*) netplan generate ;; esac
    ;;
esac
`;

/** Whoever renames the directory first, the undo or the worker that keeps the change, has decided. */
export const UNDO = `
exec 9> ${LOCK}
flock -w ${CHANGE_SECONDS + 20} 9
[ -d ${FIRING} ] || mv -T ${ARMED} ${FIRING} 2> /dev/null || exit 0
sync
sh ${FIRING}/change.sh "\${1:-old}" 9>&-
systemctl disable ${AT_BOOT}
rm -f ${AT_BOOT_FILE}
rm -rf ${FIRING}
sync
`;

/** A change that was not settled does not outlive a restart. netplan's files are made again: it has run before. */
export const AT_BOOT_UNIT = `[Unit]
Description=Undo a change of the network that was not settled before the restart
DefaultDependencies=no
RequiresMountsFor=${STATE_DIRECTORY} /etc
After=systemd-remount-fs.service
Wants=network-pre.target
Before=network-pre.target networking.service NetworkManager.service systemd-networkd.service dhcpcd.service
Conflicts=shutdown.target
ConditionPathExists=|${ARMED}
ConditionPathExists=|${FIRING}

[Service]
Type=oneshot
ExecStart=/bin/sh ${UNDO_SCRIPT} boot

[Install]
WantedBy=sysinit.target
`;

/** Makes room for the files of a change. */
export const PREPARE = `
set -e
umask 077
mkdir -p ${STATE_DIRECTORY}
rm -rf ${UNFINISHED} ${KEPT}
mkdir -p ${UNFINISHED}/old ${UNFINISHED}/new
`;

/**
 * `$1` seconds until the undo, whose unit has a name that was not used before: the DHCP client that an undo has started
 * keeps the unit of that one loaded. What is there is copied, and what is to come is shown to the manager, where that can
 * tell. The undo is armed before anything is changed; the change itself goes on without the connection.
 */
export const ARM_AND_CHANGE = `
set -e
umask 077
cd ${UNFINISHED}
. ./settings
number=0
while IFS= read -r path; do
  number=$((number + 1))
  [ ! -e "$path" ] && [ ! -L "$path" ] || cp -a -- "$path" "old/$number"
  if [ -f "$path" ] && [ ! -L "$path" ]; then
    chmod --reference="$path" "new/$number"
    chown --reference="$path" "new/$number"
  fi
done < files
trial=$(mktemp -d)
trap 'rm -rf "$trial"' EXIT
valid() {
  case "$manager" in
    ifupdown) ifup --no-act --force --interfaces=new/1 "$interface" ;;
    netplan-*)
      mkdir -p "$trial/etc"
      cp -a /etc/netplan "$trial/etc/netplan"
      cp new/1 "$trial$(head -n 1 files)"
      netplan generate --root-dir "$trial"
      ;;
  esac
}
valid > ${LOG} 2>&1 || { tail -c 1000 ${LOG}; exit ${NOT_VALID}; }
systemctl stop '${UNDO_UNIT}-*.timer' 2> /dev/null || true
systemctl enable ${AT_BOOT} 2> /dev/null
run() {
  ${DETACHED} --property=StandardOutput=append:${LOG} --property=StandardError=append:${LOG} "$@"
}
run --on-active="$1s" --timer-property=AccuracySec=1s --unit="${UNDO_UNIT}-$(cat /proc/sys/kernel/random/uuid)" /bin/sh ${UNDO_SCRIPT}
sync
mv -T ${UNFINISHED} ${ARMED}
sync
run --collect --property=RuntimeMaxSec=${CHANGE_SECONDS} /bin/sh -c '
exec 9> ${LOCK}
flock -w 20 9
sleep 0.5
if sh ${ARMED}/change.sh new 9>&-; then touch ${DONE}; exit 0; fi
exec 9>&-
exec sh ${UNDO_SCRIPT}'
`;

/** Keeps the change; refuses where it is being undone. */
export const KEEP = `
exec 9> ${LOCK}
flock -w 20 9
mv -T ${ARMED} ${KEPT} 2> /dev/null || exit ${NOT_ARMED}
sync
exec 9>&-
systemctl stop '${UNDO_UNIT}-*.timer' 2> /dev/null
systemctl disable ${AT_BOOT} 2> /dev/null
rm -f ${AT_BOOT_FILE}
rm -rf ${KEPT}
true
`;

/** Begins the undo now, beside the connection. The armed one comes later and finds nothing to do. */
export const UNDO_NOW = `
${DETACHED} --collect --on-active=500ms --timer-property=AccuracySec=100ms /bin/sh ${UNDO_SCRIPT}
`;

/** What the change and its undo have written, its end. */
export const SHOW_LOG = `tail -c 1000 ${LOG} 2> /dev/null || true`;
