import { describeBoardStore } from '../../../../test/conformance/board-store.conformance.ts';
import { MemoryBoardStore } from '../../../../test/fakes/memory-board-store.ts';

describeBoardStore('MemoryBoardStore, which stands in for the database in tests', {
  create: async () => ({ store: new MemoryBoardStore(), close: async () => {} }),
});
