/** What a board tells about its slurmd. */
export interface SeenSlurmd {
  /** Version of the package that is installed; null where it is not. */
  installed: string | null;
  /** Version that would be installed; null where it is installed, or apt knows none. */
  candidate: string | null;
  hasClient: boolean;
  isEnabled: boolean;
  isActive: boolean;
  /** Arguments of the process that runs. */
  running: string[];
  defaults: string;
  dropIn: string;
  /** Whether the unit on disk is another one than systemd has read. */
  needsReload: boolean;
}

/** `$1` the file with the options, `$2` the drop-in. What is shown of a process are its arguments, one a line. */
export const SLURMD_PROBE = `
version() {
  dpkg-query --show --showformat='\${db:Status-Status} \${Version}' "$1" 2> /dev/null | sed -n 's/^installed //p'
}
installed=$(version slurmd)
echo "installed $installed"
[ -n "$installed" ] || apt-cache policy slurmd 2> /dev/null | sed -n 's/^ *Candidate: /candidate /p'
echo "client $(version slurm-client)"
systemctl show --property=ActiveState --property=UnitFileState --property=NeedDaemonReload slurmd.service
pid=$(systemctl show --property=MainPID --value slurmd.service)
[ "$pid" -gt 0 ] 2> /dev/null && tr '\\0' '\\n' < "/proc/$pid/cmdline" | sed 's/^/argument /'
[ -f "$1" ] && sed 's/^/defaults /' "$1"
[ -f "$2" ] && sed 's/^/drop-in /' "$2"
true
`;

export function parseSlurmd(seen: string): SeenSlurmd {
  const lines = seen.split('\n');
  const all = (key: string): string[] =>
    lines.filter((line) => line.startsWith(`${key} `)).map((line) => line.slice(key.length + 1));
  const one = (key: string): string | null => all(key)[0] || null;
  const text = (key: string): string =>
    all(key)
      .map((line) => `${line}\n`)
      .join('');
  const candidate = one('candidate');
  return {
    installed: one('installed'),
    candidate: candidate === '(none)' ? null : candidate,
    hasClient: one('client') !== null,
    isEnabled: lines.includes('UnitFileState=enabled'),
    isActive: lines.includes('ActiveState=active'),
    running: all('argument'),
    defaults: text('defaults'),
    dropIn: text('drop-in'),
    needsReload: lines.includes('NeedDaemonReload=yes'),
  };
}
