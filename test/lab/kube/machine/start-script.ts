import { join } from 'node:path';
import { CLUSTER_RANGE, POD_RANGE } from './machine-configuration.ts';
import type { MachinePaths } from './machine-paths.ts';
import type { MachinePrograms } from './machine-programs.ts';

/** What becomes of a machine whose programs are these: bash, because its `wait -n` ends with the first that ends. */
export function startScript(
  paths: MachinePaths,
  programs: MachinePrograms,
  about: { name: string; address: string; kubeconfig: string; policies: string },
): string {
  const log = (program: string): string => `> ${join(paths.directory, `${program}.log`)} 2>&1 &`;
  return `set -euo pipefail
hostname ${about.name}
export PATH=${programs.containerd}:/usr/sbin:/usr/bin:/sbin:/bin HOME=${paths.directory}
unset KUBECONFIG

# What others of this computer keep there is not the machine's, and what the machine keeps goes with it.
mount -t tmpfs -o mode=0755,nosuid,nodev tmpfs /run
mount -t tmpfs -o mode=0755,nosuid,nodev tmpfs /var/log
# Of the kernel's settings only those of the network are the machine's own.
mkdir /run/network-settings
mount --bind /proc/sys/net /run/network-settings
mount --bind /proc/sys /proc/sys
mount -o remount,bind,ro /proc/sys
mount --move /run/network-settings /proc/sys/net
# The kubelet ends where it cannot set these; what it sets is seen by the machine alone.
for setting in kernel/keys/root_maxbytes kernel/keys/root_maxkeys kernel/panic kernel/panic_on_oops vm/overcommit_memory vm/panic_on_oom; do
  own=$(mktemp /run/setting-XXXXXX)
  cat "/proc/sys/$setting" > "$own"
  mount --bind "$own" "/proc/sys/$setting"
done

for hierarchy in /sys/fs/cgroup/*/cgroup.procs /sys/fs/cgroup/cgroup.procs; do
  [ -e "$hierarchy" ] || continue
  parent=\${hierarchy%/*}
  mkdir -p "$parent/${paths.cgroup}"
  for setting in cpuset.cpus cpuset.mems; do
    if [ -e "$parent/$setting" ]; then cat "$parent/$setting" > "$parent/${paths.cgroup}/$setting"; fi
  done
  [ "$parent" != /sys/fs/cgroup ] || break
done

echo 1 > /proc/sys/net/ipv4/ip_forward
nft add table ip machine
nft add chain ip machine leaving '{ type nat hook postrouting priority srcnat; }'
nft add rule ip machine leaving ip saddr ${POD_RANGE} ip daddr != ${CLUSTER_RANGE} masquerade

containerd --config ${paths.containerdConfiguration} ${log('containerd')}
until [ -S ${paths.containerdSocket} ]; do sleep 0.05; done
${programs.kubelet} --config=${paths.kubeletConfiguration} --kubeconfig=${about.kubeconfig} \\
  --root-dir=${paths.kubelet} --hostname-override=${about.name} --node-ip=${about.address} ${log('kubelet')}
dnsmasq --keep-in-foreground --conf-file=/dev/null --pid-file= --user=root --no-resolv --no-hosts --log-facility=- \\
  --listen-address=${about.address} --bind-interfaces --local=/#/ --hostsdir=${paths.names} ${log('dnsmasq')}
${programs.kubeProxy} --config=${paths.proxyConfiguration} ${log('kube-proxy')}
# It ends where the kubelet has not registered the machine yet.
until ${programs.kubeRouter} --run-firewall=true --run-router=false --run-service-proxy=false \\
  --kubeconfig=${about.policies} --hostname-override=${about.name}; do sleep 0.5; done ${log('kube-router')}
wait -n
`;
}
