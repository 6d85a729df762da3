/** Longer than unattended-upgrades takes on a Pi 2 for a month of updates. */
const LOCK_SECONDS = 900;
/** Of package lists, after which they are fetched anew before something is installed. */
const FRESH_MINUTES = 60;
/** For fetching the lists: a proxy that is half gone would keep apt for as long as it likes. */
const UPDATE_SECONDS = 600;

/** Touched after each complete update: the lists themselves bear the times of their server. */
const STAMP = '/var/lib/bramble/apt-updated';

/** Whether there is no need to fetch the lists; a time to come is that of a clock that was wrong. */
export const FRESH_LISTS = `[ -n "$(find ${STAMP} -mmin -${FRESH_MINUTES} ! -newermt '1 minute' 2> /dev/null)" ] &&
  [ -z "$(find /etc/apt/sources.list /etc/apt/sources.list.d -newer ${STAMP} 2> /dev/null)" ]`;

/**
 * Functions for `sh -e`, for work with apt that nobody watches.
 *
 * - `free_locks` waits until nobody else is at work with packages, and says who is. apt would wait for dpkg's lock only,
 *   and not say for whom.
 * - `mend` finishes what was interrupted: a package that was cut off while it was unpacked has to be fetched again.
 * - `update` fetches the lists. An index that cannot be fetched is an error, which apt-get itself does not think.
 * - `apt` leaves files as they are that an admin has changed, and asks nothing.
 */
export const APT_LINES = `
LOCKS=' (/var/lib/dpkg/lock(-frontend)?|/var/lib/apt/lists/lock|/var/cache/apt/archives/lock)$'
holders() {
  sed -n 's/^.* POSIX  *ADVISORY  *WRITE \\([0-9][0-9]*\\) .*/\\1/p' /proc/locks | sort -u | while read -r pid; do
    if ls -l "/proc/$pid/fd" 2> /dev/null | grep -qE "$LOCKS"; then
      printf '%s (process %s) ' "$(cat "/proc/$pid/comm" 2> /dev/null)" "$pid"
    fi
  done
}
free_locks() {
  waited=0
  told=
  while held=$(holders) && [ -n "$held" ]; do
    [ "$held" = "$told" ] || echo "Waiting for the package lock, held by $held"
    told=$held
    if [ "$waited" -ge ${LOCK_SECONDS} ]; then
      echo "E: The package lock was not free within ${LOCK_SECONDS} s, held by $held"
      exit 1
    fi
    sleep 1
    waited=$((waited + 1))
  done
}
apt() {
  apt-get -q -y -o APT::Update::Error-Mode=any -o DPkg::Lock::Timeout=${LOCK_SECONDS} -o Acquire::Retries=2 \\
    -o Acquire::http::Timeout=30 -o Acquire::https::Timeout=30 -o Dpkg::Use-Pty=0 \\
    -o Dpkg::Options::=--force-confdef -o Dpkg::Options::=--force-confold --no-install-recommends "$@"
}
update() {
  status=0
  timeout -k 10 ${UPDATE_SECONDS} apt-get -q -o APT::Update::Error-Mode=any -o Acquire::Retries=2 \\
    -o Acquire::http::Timeout=30 -o Acquire::https::Timeout=30 update || status=$?
  [ "$status" -ne 124 ] || echo 'E: The package lists did not come within ${UPDATE_SECONDS} s'
  [ "$status" -eq 0 ] || exit "$status"
  mkdir -p "$(dirname ${STAMP})"
  touch ${STAMP}
}
lists_are_fresh() {
  ${FRESH_LISTS}
}
unfinished() {
  dpkg-query --show --showformat='\${db:Status-Eflag} \${db:Status-Status} \${Package}\\n' |
    grep -vE '^ok (installed|config-files|not-installed) ' || true
}
mend() {
  dpkg --force-confdef --force-confold --configure -a || true
  [ -n "$(unfinished)" ] || return 0
  lists_are_fresh || update
  apt -f install
}
`;
