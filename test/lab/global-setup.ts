import { endDatabaseServer } from './database/database-server.ts';
import { sharedControlPlaneDown } from './kube/shared-control-plane.ts';
import { labDown } from './slurm-lab.ts';
import { TEST_LAB_DIRECTORY } from './test-lab.ts';

/** Specs bring up what they share when they need it; it goes when the run is over. */
export default async function setup(): Promise<() => Promise<void>> {
  // What an interrupted run has left of it has names that are wanted again.
  await sharedControlPlaneDown();
  return async () => {
    await endDatabaseServer(process.pid);
    await sharedControlPlaneDown();
    await labDown(TEST_LAB_DIRECTORY);
  };
}
