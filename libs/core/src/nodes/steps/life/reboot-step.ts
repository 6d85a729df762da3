import { type BoardStep, differs, right } from '../../board-step.ts';
import { hasRebooted, rebootBoard } from '../../reboot-board.ts';
import { restartBecause } from '../base/upgrade-packages.ts';

export const rebootStep: BoardStep = {
  name: 'reboot',
  title: 'the board has started anew',
  roles: null,
  async check(_, context) {
    return (await hasRebooted(context, 'reboot'))
      ? right('it is another boot')
      : differs('it has not restarted yet');
  },
  async apply(context) {
    await rebootBoard(context, 'reboot');
    return 'restarted';
  },
};

/** After an upgrade, where a new kernel or a library that is in use everywhere came with it. */
export const restartIfNeededStep: BoardStep = {
  name: 'restart',
  title: 'what was upgraded is in use',
  roles: null,
  async check(_, context) {
    if (await hasRebooted(context, 'restart')) return right('it is another boot');
    const because = await restartBecause(context);
    return because === null ? right('no restart is needed') : differs(because);
  },
  async apply(context) {
    await rebootBoard(context, 'restart');
    return 'restarted';
  },
};
