import type { OwnedFile } from './owned-files.ts';

export const EXPORTER = 'prometheus-node-exporter';
export const TIMER = 'bramble-pi-facts.timer';
/** Where Debian's exporter looks for metrics in files, and where these are: on no card, which each writing wears. */
export const METRICS_LINK = '/var/lib/prometheus/node-exporter/bramble-pi.prom';
export const METRICS = '/run/bramble-metrics/pi.prom';

const COLLECTORS = [
  ...['cpu', 'cpufreq', 'diskstats', 'filesystem', 'hwmon', 'loadavg', 'meminfo', 'netdev', 'os', 'pressure'],
  ...['stat', 'textfile', 'thermal_zone', 'time', 'timex', 'uname', 'vmstat'],
];
/** File systems of servers are left out: to ask for their size waits for the server, and keeps them mounted. */
const EXCLUDED =
  '^(autofs|binfmt_misc|bpf|cgroup2?|configfs|debugfs|devpts|devtmpfs|fuse.*|hugetlbfs|mqueue|nfs.*|nsfs|proc|pstore|ramfs|rpc_pipefs|securityfs|squashfs|sysfs|tmpfs|tracefs)$';

/** What the exporter of a small board is started with; the flag of file systems is there from 1.3 (Debian 12) on. */
export const EXPORTER_ARGUMENTS = [
  '--collector.disable-defaults',
  ...COLLECTORS.map((name) => `--collector.${name}`),
  `--collector.filesystem.fs-types-exclude=${EXCLUDED}`,
].join(' ');

const SCRIPT = '/usr/local/lib/bramble/pi-facts';

const PI_FACTS = `#!/bin/sh
# Written by Bramble. What the firmware of a Raspberry Pi knows, for prometheus-node-exporter.
set -eu
umask 022
mkdir -p ${METRICS.slice(0, METRICS.lastIndexOf('/'))}
metric() {
  [ -z "$2" ] || printf '# HELP %s %s\\n# TYPE %s gauge\\n%s %s\\n' "$1" "$3" "$1" "$1" "$2"
}
throttled=$(vcgencmd get_throttled 2> /dev/null | sed -n 's/^throttled=\\(0x[0-9a-fA-F][0-9a-fA-F]*\\)$/\\1/p')
temperature=$(vcgencmd measure_temp 2> /dev/null | sed -n "s/^temp=\\([0-9.]*\\)'C$/\\1/p")
{
  metric bramble_pi_throttled_bits "\${throttled:+$((throttled))}" 'Bits of vcgencmd get_throttled: 0 to 3 now, 16 to 19 since the start.'
  metric bramble_pi_temperature_celsius "$temperature" 'Temperature of the processor by the firmware.'
} > ${METRICS}.new
mv ${METRICS}.new ${METRICS}
`;

const SERVICE = `# Written by Bramble.
[Unit]
Description=Facts of the Raspberry Pi for prometheus-node-exporter

[Service]
Type=oneshot
ExecStart=${SCRIPT}
# Not two lines in the journal a minute.
LogLevelMax=warning
`;

const TIMER_UNIT = `# Written by Bramble.
[Unit]
Description=Facts of the Raspberry Pi, every minute

[Timer]
OnBootSec=10s
OnUnitActiveSec=60s
AccuracySec=10s

[Install]
WantedBy=timers.target
`;

const EXPORTER_SETTING = `# Written by Bramble. ARGS of /etc/default/${EXPORTER} stay in force.
[Service]
ExecStart=
ExecStart=/usr/bin/${EXPORTER} ${EXPORTER_ARGUMENTS.replaceAll('$', '$$$$')} $ARGS
`;

export const EXPORTER_FILES: readonly OwnedFile[] = [
  { path: SCRIPT, content: PI_FACTS, mode: '755' },
  { path: '/etc/systemd/system/bramble-pi-facts.service', content: SERVICE },
  { path: `/etc/systemd/system/${TIMER}`, content: TIMER_UNIT },
  { path: `/etc/systemd/system/${EXPORTER}.service.d/bramble.conf`, content: EXPORTER_SETTING },
];
