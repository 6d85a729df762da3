import { type BoardStep, differs, right } from '../../board-step.ts';
import { installPackages } from '../../packages.ts';
import { succeed } from '../../succeed.ts';
import {
  EXPORTER,
  EXPORTER_ARGUMENTS,
  EXPORTER_FILES,
  METRICS,
  METRICS_LINK,
  TIMER,
} from './node-exporter-files.ts';
import { OWNED_FILES_LINES, ownedFilesArguments, writeOwnedFiles } from './owned-files.ts';

const PORT = 9100;

/** `$1` what the exporter is to be started with; what follows are the files. Tells what is not so. */
const PROBE = `
dpkg-query --show --showformat='\${db:Status-Status}' ${EXPORTER} 2> /dev/null | grep -qx installed || echo 'package ${EXPORTER}'
[ "$(readlink ${METRICS_LINK})" = ${METRICS} ] || echo 'link ${METRICS_LINK}'
for unit in ${EXPORTER}.service ${TIMER}; do
  systemctl is-active --quiet "$unit" || echo "not running: $unit"
  systemctl is-enabled --quiet "$unit" 2> /dev/null || echo "not enabled: $unit"
done
process=$(systemctl show --property=MainPID --value ${EXPORTER}.service)
if [ "\${process:-0}" -gt 0 ]; then
  case "$(tr '\\0' ' ' < "/proc/$process/cmdline")" in *" $1 "*) ;; *) echo 'other arguments' ;; esac
fi
shift
${OWNED_FILES_LINES}
`;

const PREPARE = `
set -e
install -d -m 0755 /usr/local/lib/bramble /etc/systemd/system/${EXPORTER}.service.d
`;

const START = `
set -e
ln -sfT ${METRICS} ${METRICS_LINK}
systemctl daemon-reload
systemctl enable --quiet ${EXPORTER}.service ${TIMER}
systemctl start bramble-pi-facts.service
systemctl restart ${TIMER} ${EXPORTER}.service
`;

/** The files come first: the package starts the exporter when it is installed. */
export const nodeExporterStep: BoardStep = {
  name: 'node-exporter',
  title: 'metrics of the board',
  roles: null,
  probe: () => ({ script: PROBE, args: [EXPORTER_ARGUMENTS, ...ownedFilesArguments(EXPORTER_FILES)] }),
  check(seen) {
    const missing = seen.split('\n').filter((line) => line !== '');
    return missing.length === 0 ? right(`on port ${PORT}`) : differs(missing.join(', '));
  },
  async apply(context, seen) {
    const { connection } = context;
    await succeed(connection, { argv: ['sh', '-c', PREPARE], root: true });
    await writeOwnedFiles(connection, EXPORTER_FILES);
    if (/^package /m.test(seen)) await installPackages(context, [EXPORTER]);
    await succeed(connection, { argv: ['sh', '-c', START], root: true });
    return `on port ${PORT}`;
  },
};
