import { endDatabaseServer } from './database/database-server.ts';
import { sharedControlPlaneDown } from './kube/shared-control-plane.ts';
import { labDown } from './slurm-lab.ts';
import { TEST_LAB_DIRECTORY } from './test-lab.ts';

/** Specs bring the lab up when they need it; it goes when the run is over. */
export default function setup(): () => Promise<void> {
  return async () => {
    await endDatabaseServer(process.pid);
    await sharedControlPlaneDown();
    await labDown(TEST_LAB_DIRECTORY);
  };
}
