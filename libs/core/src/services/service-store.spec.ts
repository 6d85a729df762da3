import { describeServiceStore } from '../../../../test/conformance/service-store.conformance.ts';
import { MemoryServiceStore } from '../../../../test/fakes/memory-service-store.ts';

describeServiceStore('MemoryServiceStore', {
  create: async () => ({ store: new MemoryServiceStore(), close: async () => {} }),
});
