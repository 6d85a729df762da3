import { describeJobStore } from '../../../../test/conformance/job-store.conformance.ts';
import { idOf } from '../../../../test/fakes/counting-ids.ts';
import { MemoryJobStore } from '../../../../test/fakes/memory-job-store.ts';

describeJobStore('MemoryJobStore, which stands in for the database in tests', {
  create: async () => ({
    store: new MemoryJobStore(),
    ownerIds: [idOf('usr', 1), idOf('usr', 2)],
    close: async () => {},
  }),
});
