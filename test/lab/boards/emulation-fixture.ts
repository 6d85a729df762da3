const FIXTURE = "# A fixture of Bramble's lab";

/** qemu-user has no autofs. */
const SYSTEMCTL = `#!/bin/sh
${FIXTURE}: what is to be mounted on use is mounted at once.
for word; do
  shift
  case "$word" in
    *.automount) word="\${word%.automount}.mount" ;;
  esac
  set -- "$@" "$word"
done
exec /usr/bin/systemctl "$@"
`;

/** After `lab.conf` in the alphabet, and so in force. */
const dropIn = (unit: string, lines: string) => ({
  path: `/etc/systemd/system/${unit}.service.d/qemu.conf`,
  content: `${FIXTURE}\n[Service]\n${lines}`,
  mode: 0o644,
});

/** For boards whose programs are emulated: in place of what qemu-user does not know. */
export const EMULATION_FILES = [
  { path: '/usr/local/bin/systemctl', content: SYSTEMCTL, mode: 0o755 },
  // No seccomp, which Debian's chronyd insists on.
  dropIn('chrony', 'ExecStart=\nExecStart=!/usr/sbin/chronyd -x $DAEMON_OPTS -F 0\n'),
  // Units that are given credentials end with 243/CREDENTIALS.
  ...['systemd-sysusers', 'systemd-tmpfiles-setup', 'systemd-tmpfiles-setup-dev'].map((unit) =>
    dropIn(unit, 'LoadCredential=\n'),
  ),
];
