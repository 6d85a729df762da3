import { FIXTURE_DIRECTORY } from './fixture.ts';

/** Where a board asks for mounts, below its fixture's directory. */
export const NFS_SOCKET = 'nfs';

const SERVER = '/usr/lib/lab-programs/nfs-server';
const FIXTURE = "# A fixture of Bramble's lab";

/**
 * In place of nfsd, which this kernel may lack: keeps the port open. What is exported to whom is decided by exportfs all
 * the same, in whose table the lab looks when somebody mounts.
 */
const LISTEN = `#!/usr/bin/perl
${FIXTURE}: answers on the port of NFS, and says nothing.
use strict;
use IO::Socket::INET;
my $server = IO::Socket::INET->new(LocalPort => 2049, Listen => 8, ReuseAddr => 1) or die "$@\\n";
while (1) {
  my $client = $server->accept;
  close $client if $client;
}
`;

const SERVER_UNIT = `${FIXTURE}: in place of Debian's unit, which needs nfsd.
[Unit]
Description=NFS server of the lab
DefaultDependencies=no
Wants=network-online.target
After=network.target network-online.target local-fs.target
Before=remote-fs-pre.target

[Service]
ExecStartPre=-/usr/sbin/exportfs -r
ExecStart=${SERVER}
ExecReload=/usr/sbin/exportfs -r
ExecStopPost=/usr/sbin/exportfs -au
ExecStopPost=/usr/sbin/exportfs -f

[Install]
WantedBy=multi-user.target
`;

/**
 * In place of the program of nfs-common: tries the server's port as long as that one would, and then asks the lab, which
 * clones the mount. What is unlike NFS: root stays root, and what is mounted stays while the server is away.
 */
const MOUNT = `#!/usr/bin/perl
${FIXTURE}: mounts what another board exports.
use strict;
use Socket;
use IO::Socket::INET;
use IO::Socket::UNIX;
sub fail { print STDERR "mount.nfs: $_[0]\\n"; exit 32 }
my ($options, @words) = ("");
while (@ARGV) {
  my $word = shift;
  if ($word eq "-o") { $options = shift }
  elsif ($word =~ /^-[Nt]$/) { shift }
  elsif ($word !~ /^-/) { push @words, $word }
}
my ($host, $path) = ($words[0] // "") =~ m{^\\[?([^/]+?)\\]?:(/.*)$} or fail("remote share not in 'host:dir' format");
my ($retry, $readonly) = (120, 0);
for my $option (split /,/, $options) {
  my ($name, $value) = split /=/, $option, 2;
  $readonly = 1 if $name eq "ro";
  $retry = 60 * $value if $name eq "retry";
  next if $name =~ /^(rw|ro|hard|soft|softerr|bg|fg|tcp|udp|intr|nointr|ac|noac|cto|nocto|lock|nolock|acl|noacl|sharecache|nosharecache|resvport|noresvport|rdirplus|nordirplus|fsc|nofsc|suid|nosuid|dev|nodev|exec|noexec|(no|rel|strict)?atime|nodiratime|auto|noauto|user|nouser|users|defaults|_netdev|nofail|sync|async|x-.*|vers|nfsvers|minorversion|proto|port|mountproto|mountport|mountvers|rsize|wsize|timeo|retrans|retry|acregmin|acregmax|acdirmin|acdirmax|actimeo|sec|clientaddr|addr|local_lock|lookupcache|namlen|nconnect)$/;
  fail("an incorrect mount option was specified");
}
my $packed = inet_aton($host) or fail("Failed to resolve server $host: Name or service not known");
my $address = inet_ntoa($packed);
my $until = time + $retry;
until (IO::Socket::INET->new(PeerAddr => $address, PeerPort => 2049, Timeout => 5)) {
  my $because = $@;
  fail($because =~ /refused/ ? "Connection refused" : "Connection timed out") if time >= $until;
  sleep 1;
}
my $staging = "/run/lab-mount-$$";
mkdir $staging, 0700;
my $lab = IO::Socket::UNIX->new(Peer => "${FIXTURE_DIRECTORY}/${NFS_SOCKET}") or fail("the lab does not answer: $!");
print $lab "$address\\n$path\\n$staging\\n";
$lab->flush;
shutdown($lab, 1);
my $answer = <$lab> // "the lab does not answer";
chomp $answer;
if ($answer !~ /^ok/) {
  rmdir $staging;
  fail($answer);
}
# Only a process of systemd's own group gets past an automount, so the lab cannot do this.
my $failed = system "mount", "--no-mtab", "--bind", $staging, $words[1];
system "mount", "--no-mtab", "-o", "remount,bind,ro", $words[1] if !$failed && ($readonly || $answer eq "ok ro");
system "umount", $staging;
rmdir $staging;
exit($failed ? 32 : 0);
`;

export const NFS_FILES = [
  { path: SERVER, content: LISTEN, mode: 0o755 },
  { path: '/etc/systemd/system/nfs-server.service', content: SERVER_UNIT, mode: 0o644 },
  { path: '/usr/sbin/mount.nfs', content: MOUNT, mode: 0o755 },
  { path: '/usr/sbin/mount.nfs4', content: MOUNT, mode: 0o755 },
] as const;

/** Those that need a kernel with NFS. */
const MASKED = [
  'fsidd.service',
  'nfs-blkmap.service',
  'nfs-idmapd.service',
  'nfs-mountd.service',
  'nfsdcld.service',
  'proc-fs-nfsd.mount',
  'rpc-gssd.service',
  'rpc-statd-notify.service',
  'rpc-statd.service',
  'rpc-svcgssd.service',
  'run-rpc_pipefs.mount',
  'var-lib-nfs-rpc_pipefs.mount',
];

export const NFS_COMMANDS = [
  ...['/sbin/mount.nfs', '/sbin/mount.nfs4'].map((path) => ({
    argv: ['dpkg-divert', '--quiet', '--local', '--no-rename', '--divert', `${path}.debian`, '--add', path],
  })),
  { argv: ['systemctl', 'mask', '--quiet', ...MASKED] },
] as const;
