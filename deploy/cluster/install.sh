#!/usr/bin/env bash
# Makes this machine a server or an agent of the lab's Kubernetes (k3s). Run again, it changes what differs and restarts
# k3s only then. See docs/kubernetes.md.
set -euo pipefail
# What is piped into `put` must not keep it from telling that something has changed.
shopt -s lastpipe

usage() {
  cat <<'END'
Usage: install.sh server --node-ip ADDRESS [options]
       install.sh agent  --node-ip ADDRESS --server ADDRESS --token-file FILE [options]

  --node-ip ADDRESS     address of this machine in the lab's network
  --node-name NAME      default: the host name
  --server ADDRESS      of the server, for an agent
  --token-file FILE     what servers and agents know each other by; a server makes one where none is given
  --resolver LIST       name servers for pods, separated by commas; default: the machine's own
  --zone NAME=ADDRESS   zone and its name server, such as home.lab=10.0.0.21 (server only)
  --registry HOST:PORT  the lab's registry, for registry.home.lab over plain HTTP
  --mirror              take images of public registries from the lab's registry first
  --version VERSION     of k3s
  --releases URL        where its releases are, for a network without GitHub
  --sha256 DIGEST       of the program, in place of the release's own list of digests
END
}

# Kubernetes 1.36, as in the tests. https://github.com/k3s-io/k3s/releases/tag/v1.36.1+k3s1
version='v1.36.1+k3s1'
releases='https://github.com/k3s-io/k3s/releases/download'
node_ip='' node_name='' server='' token_file='' zone='' registry='' mirror='' digest=''
resolvers=()

program=/usr/local/bin/k3s
configuration=/etc/rancher/k3s
manifests=/var/lib/rancher/k3s/server/manifests
ready_seconds=${READY_SECONDS:-300}
changed=''

fail() {
  printf 'install.sh: %s\n' "$*" >&2
  exit 1
}

say() {
  printf '== %s\n' "$*"
}

is_address() {
  [[ $1 =~ ^[0-9]{1,3}(\.[0-9]{1,3}){3}$ ]]
}

read_arguments() {
  role=${1:-}
  case $role in
    server | agent) shift ;;
    -h | --help)
      usage
      exit 0
      ;;
    *)
      usage >&2
      exit 2
      ;;
  esac
  while (($# > 0)); do
    local option=$1
    if [[ $option == --mirror ]]; then
      mirror=yes
      shift
      continue
    fi
    (($# > 1)) || fail "$option needs a value"
    case $option in
      --node-ip) node_ip=$2 ;;
      --node-name) node_name=$2 ;;
      --server) server=$2 ;;
      --token-file) token_file=$2 ;;
      --resolver) IFS=, read -ra resolvers <<< "$2" ;;
      --zone) zone=$2 ;;
      --registry) registry=$2 ;;
      --version) version=$2 ;;
      --releases) releases=$2 ;;
      --sha256) digest=$2 ;;
      *) fail "there is no option $option" ;;
    esac
    shift 2
  done
}

check_arguments() {
  node_name=${node_name:-$(uname -n)}
  is_address "$node_ip" || fail '--node-ip must be the IPv4 address of this machine in the network of the lab'
  [[ $node_name =~ ^[a-z0-9]([a-z0-9-]*[a-z0-9])?$ ]] || fail "\"$node_name\" cannot be the name of a node"
  [[ $version =~ ^v[0-9]+\.[0-9]+\.[0-9]+\+k3s[0-9]+$ ]] || fail "\"$version\" is no version of k3s, such as v1.36.1+k3s1"
  [[ -z $registry || $registry =~ ^[A-Za-z0-9.-]+:[0-9]+$ ]] || fail '--registry must be HOST:PORT'
  [[ -z $mirror || -n $registry ]] || fail '--mirror needs --registry'
  [[ -z $zone || $zone =~ ^[a-z0-9.-]+=[0-9.]+$ ]] || fail '--zone must be NAME=ADDRESS'
  [[ -z $digest || $digest =~ ^[0-9a-f]{64}$ ]] || fail '--sha256 must be 64 hexadecimal digits'
  local address
  for address in "${resolvers[@]}"; do
    is_address "$address" || fail "--resolver: \"$address\" is no IPv4 address"
  done
  [[ -z $token_file || -s $token_file ]] || fail "--token-file: $token_file is not there, or is empty"
  if [[ $role == agent ]]; then
    is_address "$server" || fail 'an agent needs --server, the IPv4 address of the server'
    [[ -n $token_file ]] || fail 'an agent needs --token-file; on the server: /etc/rancher/k3s/token'
  fi
}

check_machine() {
  ((EUID == 0)) || fail 'run this as root'
  local tool
  for tool in curl sha256sum systemctl ip; do
    command -v "$tool" > /dev/null || fail "$tool is missing"
  done
  case $(uname -m) in
    x86_64) asset=k3s list=sha256sum-amd64.txt ;;
    aarch64) asset=k3s-arm64 list=sha256sum-arm64.txt ;;
    *) fail "there are no images for $(uname -m); a Raspberry Pi needs the 64-bit system" ;;
  esac
  # The kubelet of Kubernetes 1.35 and newer starts with nothing else.
  [[ -e /sys/fs/cgroup/cgroup.controllers ]] \
    || fail 'this system has control groups of version 1; add "systemd.unified_cgroup_hierarchy=1" to the command line of the kernel and restart it'
  # Raspberry Pi OS leaves the memory controller off.
  grep -qw memory /sys/fs/cgroup/cgroup.controllers 2> /dev/null \
    || fail 'the memory controller of cgroups is off; on a Raspberry Pi add "cgroup_enable=memory" to the line in /boot/firmware/cmdline.txt and restart it'
  # Without it flannel takes the interface of the default route: in a virtual machine, the one that all have alike.
  interface=$(ip -o -4 address show | awk -v address="$node_ip" '{ split($4, part, "/"); if (part[1] == address) { print $2; exit } }')
  [[ -n $interface ]] || fail "no interface of this machine has the address $node_ip"
  local other=k3s-agent
  if [[ $role == agent ]]; then other=k3s; fi
  if systemctl is-enabled --quiet "$other.service" 2> /dev/null; then
    fail "this machine has $other.service already; it cannot be both, a server and an agent"
  fi
}

# put FILE MODE: writes standard input there, at once, unless it is there already.
put() {
  local file=$1 mode=$2 draft
  mkdir -p "$(dirname "$file")"
  draft=$(mktemp "$file.XXXXXX")
  cat > "$draft"
  chmod "$mode" "$draft"
  if [[ -f $file ]] && cmp -s "$draft" "$file" && [[ $(stat -c %a "$file") == "$mode" ]]; then
    rm -f "$draft"
    return
  fi
  mv -f "$draft" "$file"
  changed=yes
  say "wrote $file"
}

drop() {
  [[ -e $1 ]] || return 0
  rm -f "$1"
  changed=yes
  say "removed $1"
}

install_program() {
  if [[ -x $program ]] && "$program" --version 2> /dev/null | grep -qF "k3s version $version "; then
    return
  fi
  # "+" has a meaning of its own in a URL.
  local url="$releases/${version/+/%2B}" draft expected
  draft=$(mktemp "$program.XXXXXX")
  # shellcheck disable=SC2064
  trap "rm -f '$draft'" EXIT
  say "downloading k3s $version"
  expected=$digest
  if [[ -z $expected ]]; then
    expected=$(curl --fail --silent --show-error --location --retry 3 "$url/$list" | awk -v name="$asset" '$2 == name { print $1 }')
  fi
  [[ $expected =~ ^[0-9a-f]{64}$ ]] || fail "$url/$list has no digest of $asset"
  curl --fail --silent --show-error --location --retry 3 --output "$draft" "$url/$asset"
  printf '%s  %s\n' "$expected" "$draft" | sha256sum --check --status \
    || fail "what came from $url/$asset is not what it should be: its digest is $(sha256sum "$draft" | cut -d' ' -f1), not $expected; nothing was installed"
  chmod 755 "$draft"
  mv -f "$draft" "$program"
  trap - EXIT
  ln -sf k3s /usr/local/bin/kubectl
  ln -sf k3s /usr/local/bin/crictl
  changed=yes
}

# Volumes on NFS are mounted by the kubelet with the machine's own program.
install_nfs_client() {
  if command -v mount.nfs > /dev/null || ! command -v apt-get > /dev/null; then
    return
  fi
  say 'installing nfs-common'
  DEBIAN_FRONTEND=noninteractive apt-get update -qq
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends nfs-common
}

write_token() {
  local token=$configuration/token
  if [[ -n $token_file ]]; then
    [[ $token_file -ef $token ]] || put "$token" 600 < "$token_file"
  elif [[ ! -s $token ]]; then
    head -c 32 /dev/urandom | base64 | tr -d '+/=\n' | put "$token" 600
  fi
}

write_configuration() {
  {
    printf 'node-name: %s\nnode-ip: %s\n' "$node_name" "$node_ip"
    printf 'flannel-iface: %s\ntoken-file: %s/token\n' "$interface" "$configuration"
    if ((${#resolvers[@]})); then printf 'resolv-conf: %s/resolv.conf\n' "$configuration"; fi
    if [[ $role == server ]]; then
      printf 'advertise-address: %s\ntls-san: [%s, %s]\n' "$node_ip" "$node_ip" "$node_name"
      # MetalLB gives services their addresses, and the ingress controller is a service of the catalogue.
      printf 'disable: [servicelb, traefik]\n'
      printf 'secrets-encryption: true\nwrite-kubeconfig-mode: "0600"\n'
    else
      printf 'server: https://%s:6443\n' "$server"
    fi
  } | put "$configuration/config.yaml" 600

  if ((${#resolvers[@]})); then
    printf 'nameserver %s\n' "${resolvers[@]}" | put "$configuration/resolv.conf" 644
  else
    drop "$configuration/resolv.conf"
  fi

  if [[ -n $registry ]]; then
    {
      printf 'mirrors:\n  registry.home.lab:\n    endpoint: ["http://%s"]\n' "$registry"
      if [[ -n $mirror ]]; then
        local host
        for host in docker.io ghcr.io quay.io registry.k8s.io; do
          # The lab's registry keeps images of others below their registry's name.
          printf "  %s:\n    endpoint: [\"http://%s\"]\n    rewrite: { '^(.*)\$': '%s/\$1' }\n" "$host" "$registry" "$host"
        done
      fi
    } | put "$configuration/registries.yaml" 600
  else
    drop "$configuration/registries.yaml"
  fi
}

# The cluster's CoreDNS asks one of its name servers at random: only a zone of its own is always asked at the right one.
write_zone() {
  local file=$manifests/bramble-zone.yaml
  if [[ -z $zone ]]; then
    [[ ! -e $file ]] || rm -f "$file"
    return
  fi
  mkdir -p "$manifests"
  local before=$changed
  put "$file" 600 <<END
apiVersion: v1
kind: ConfigMap
metadata:
  name: coredns-custom
  namespace: kube-system
data:
  bramble.server: |
    ${zone%%=*}:53 {
      errors
      cache 30
      forward . ${zone#*=}
    }
END
  # k3s applies what changes there by itself.
  changed=$before
}

write_unit() {
  local unit=k3s
  if [[ $role == agent ]]; then unit=k3s-agent; fi
  put "/etc/systemd/system/$unit.service" 644 <<END
[Unit]
Description=Kubernetes of the lab (k3s $role)
Documentation=https://docs.k3s.io
Wants=network-online.target
After=network-online.target

[Service]
Type=notify
ExecStartPre=-/sbin/modprobe br_netfilter
ExecStartPre=-/sbin/modprobe overlay
ExecStart=$program $role
# Containers go on while k3s itself is replaced.
KillMode=process
Delegate=yes
LimitNOFILE=1048576
LimitNPROC=infinity
LimitCORE=infinity
TasksMax=infinity
TimeoutStartSec=0
Restart=always
RestartSec=5s

[Install]
WantedBy=multi-user.target
END
  systemctl daemon-reload
  systemctl enable --quiet "$unit.service"
  if [[ -n $changed ]]; then
    say "starting $unit"
    systemctl restart "$unit.service"
  elif systemctl is-active --quiet "$unit.service"; then
    say "nothing to change: $unit runs"
  else
    say "starting $unit"
    systemctl start "$unit.service"
  fi
}

wait_until_ready() {
  [[ $role == server ]] || return 0
  local until=$((SECONDS + ready_seconds))
  until "$program" kubectl get --raw /readyz > /dev/null 2>&1; do
    ((SECONDS < until)) || fail "the API server does not answer after $ready_seconds s; see: journalctl -u k3s"
    sleep 2
  done
  say "ready; the kubeconfig is /etc/rancher/k3s/k3s.yaml, the token for agents is $configuration/token"
}

read_arguments "$@"
check_arguments
check_machine
install_nfs_client
install_program
write_token
write_configuration
if [[ $role == server ]]; then write_zone; fi
write_unit
wait_until_ready
