import { expect, it } from 'vitest';
import type { BoardFacts } from './board.ts';
import { refuseUnknownSystem } from './known-system.ts';

const running = (os: string) => () => refuseUnknownSystem({ os } as BoardFacts);

it.each(['debian 12', 'debian 13', 'raspbian 12'])('takes %s', (os) => {
  expect(running(os)).not.toThrow();
});

it.each(['debian 11', 'debian 14', 'ubuntu 24.04', 'fedora 43', 'debian', 'debian 12.5', ''])(
  'refuses "%s"',
  (os) => {
    expect(running(os)).toThrow(`The board runs "${os}", which is not known here`);
  },
);
