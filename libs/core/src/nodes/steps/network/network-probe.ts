import type { Probe } from '../../board-step.ts';
import { ARMED, DONE, FIRING } from './undo-files.ts';

/** Ours, by interface. */
export const ownNetworkdFile = (name: string): string => `/etc/systemd/network/00-bramble-${name}.network`;
export const ownKeyfile = (name: string): string =>
  `/etc/NetworkManager/system-connections/bramble-${name}.nmconnection`;
export const NETPLAN_FILE = '/etc/netplan/99-bramble.yaml';
export const CLOUD_INIT_FILE = '/etc/cloud/cloud.cfg.d/99-disable-network-config.cfg';
export const INTERFACES = '/etc/network/interfaces';
export const DHCPCD_CONF = '/etc/dhcpcd.conf';
export const RESOLV_CONF = '/etc/resolv.conf';

/**
 * `$1` the address that the board is known by, `$2` the one that it is to have. Answers begin with `@` and a name; the
 * lines of their texts with a space. Passwords of Wi-Fi stay on the board.
 */
const SCRIPT = `
say() { printf '@%s\\n' "$1"; sed -E '
  s/^([[:space:]]*[^#=:[:space:]]*(psk|password|secret|wep-key)[^=:[:space:]]*[[:space:]=:]+).+/\\1-/I
  s/^/ /'; echo; }
file() { [ ! -f "$1" ] || say "file $1" < "$1"; }
active() { systemctl is-active --quiet "$1"; }

[ ! -d ${ARMED} ] && [ ! -d ${FIRING} ] || echo yes | say armed
ip -o -4 address show scope global | say addresses
has() {
  ip -o -4 address show scope global | while read -r _ name _ address _; do
    [ "\${address%/*}" != "$1" ] || { echo "$name"; break; }
  done
}
interface=$(has "$1")
[ -n "$interface" ] || interface=$(has "$2")
[ -n "$interface" ] || exit 0
echo "$interface" | say interface
if [ -d "/sys/class/net/$interface/phy80211" ]; then kind=wifis
elif [ -d "/sys/class/net/$interface/bridge" ]; then kind=bridges
elif [ -d "/sys/class/net/$interface/bonding" ]; then kind=bonds
elif [ -e "/proc/net/vlan/$interface" ]; then kind=vlans
else kind=ethernets; fi
echo "$kind" | say kind
ip -o -4 route show default dev "$interface" | say routes

profile=
if active NetworkManager; then
  nmcli -g GENERAL.STATE device show "$interface" 2> /dev/null | say nm-state
  uuid=$(nmcli -g GENERAL.CON-UUID device show "$interface" 2> /dev/null)
  echo "$uuid" | say nm-uuid
  [ -z "$uuid" ] || profile=$(nmcli -t -e no -f UUID,FILENAME connection show 2> /dev/null | sed -n "s/^$uuid://p")
  echo "$profile" | say nm-profile
  case "$profile" in
    /etc/*) file "$profile" ;;
    *) file "${ownKeyfile('$interface')}" ;;
  esac
fi
network=
if active systemd-networkd; then
  networkctl list "$interface" --no-legend --no-pager 2> /dev/null | say networkd-state
  network=$(networkctl status "$interface" --no-pager 2> /dev/null | sed -n 's/^ *Network File: //p')
  echo "$network" | say networkd-file
  file "${ownNetworkdFile('$interface')}"
fi
case "$network$profile" in
  */run/systemd/network/*-netplan-* | */run/NetworkManager/system-connections/netplan-*)
    generated="$network$profile"
    generated="\${generated##*/}"
    generated="\${generated#*netplan-}"
    found=
    for id in $(netplan get "$kind" 2> /dev/null | sed -n 's/^"\\{0,1\\}\\([^" :][^" :]*\\)"\\{0,1\\}:.*/\\1/p'); do
      case "$generated" in "$id"[.-]*) [ "\${#id}" -lt "\${#found}" ] || found=$id ;; esac
    done
    echo "$found" | say netplan-id
    { netplan get "$kind.$found.addresses"; netplan get "$kind.$found.gateway4"; } 2> /dev/null | say netplan-addresses
    file ${NETPLAN_FILE}
    ;;
esac
if command -v ifquery > /dev/null; then
  file ${INTERFACES}
  sed -n -E 's/^[[:space:]]*source[[:space:]]+//p; s/^[[:space:]]*source-directory[[:space:]]+(.*)/\\1\\/*/p' ${INTERFACES} 2> /dev/null |
    while read -r pattern; do
      case "$pattern" in /*) ;; *) pattern="/etc/network/$pattern" ;; esac
      for one in $pattern; do file "$one"; done
    done
fi
if active dhcpcd; then
  echo yes | say dhcpcd
  file ${DHCPCD_CONF}
fi

if [ -x /sbin/resolvconf ] && [ ! -L /sbin/resolvconf ]; then echo resolvconf
elif [ -L ${RESOLV_CONF} ]; then echo linked
else echo plain; fi | say resolver
[ -L ${RESOLV_CONF} ] || file ${RESOLV_CONF}
{ active systemd-resolved && resolvectl dns "$interface" || grep '^nameserver' ${RESOLV_CONF}; } 2> /dev/null | say name-servers
[ ! -d /etc/cloud/cloud.cfg.d ] || echo yes | say cloud-init
file ${CLOUD_INIT_FILE}

[ ! -e ${DONE} ] || echo yes | say done
if [ -z "$(has "$2")" ]; then
  if ping -c 1 -W 1 -I "$interface" "$2" > /dev/null 2>&1; then echo "answers a ping"
  else ip -4 neigh show to "$2" dev "$interface" nud reachable 2> /dev/null | sed -n 's/.*lladdr \\([^ ]*\\).*/is at \\1/p'
  fi | say taken
fi
true
`;

/**
 * @param known the address that the board is known by
 * @param wanted the one that it is to have
 */
export const networkProbe = (known: string, wanted: string): Probe => ({
  script: SCRIPT,
  args: [known, wanted],
});
