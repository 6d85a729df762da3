import { join } from 'node:path';
import { stopEmbeddedDatabase } from '../libs/infra/src/database/embedded-database.ts';
import { defaultLabDirectory } from '../test/lab/lab-directory.ts';
import { labDown } from '../test/lab/slurm-lab.ts';
import { installation } from './installation.ts';
import { stopServices } from './services.ts';

const place = installation(defaultLabDirectory());
const stopped = await stopServices(place);
console.log(stopped.length === 0 ? 'Neither api nor worker was running' : `Stopped: ${stopped.join(', ')}`);
await stopEmbeddedDatabase(join(place.home, 'postgres'));
await labDown();
console.log(
  `Jobs, files and the API key are kept in ${join(place.home, '..')} and come back with the next quick start`,
);
