import { CreateTables1795363200000 } from './1795363200000-create-tables.ts';
import { KnowJobsByAccount1795370400000 } from './1795370400000-know-jobs-by-account.ts';
import { KeepBoards1795377600000 } from './1795377600000-keep-boards.ts';
import { KeepInventory1795384800000 } from './1795384800000-keep-inventory.ts';
import { KeepServices1795392000000 } from './1795392000000-keep-services.ts';

/** All migrations, oldest first. One that has been released is never changed: the next one mends it. */
export const migrations = [
  CreateTables1795363200000,
  KnowJobsByAccount1795370400000,
  KeepBoards1795377600000,
  KeepInventory1795384800000,
  KeepServices1795392000000,
];
