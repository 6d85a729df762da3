import { describe, expect, it } from 'vitest';
import { parseSlurmd } from './seen-slurmd.ts';

describe('parseSlurmd', () => {
  it('reads a bare board', () => {
    expect(
      parseSlurmd('installed \ncandidate 22.05.8-4+deb12u3\nclient \nActiveState=inactive\nUnitFileState=\n'),
    ).toEqual({
      ...{
        installed: null,
        candidate: '22.05.8-4+deb12u3',
        hasClient: false,
        isEnabled: false,
        needsReload: false,
      },
      ...{ isActive: false, running: [], defaults: '', dropIn: '' },
    });
    expect(parseSlurmd('installed \ncandidate (none)\nclient \n').candidate).toBeNull();
  });

  it('reads a node', () => {
    const seen = `installed 22.05.8-4+deb12u3
client 22.05.8-4+deb12u3
ActiveState=active
UnitFileState=enabled
NeedDaemonReload=yes
argument /usr/sbin/slurmd
argument --conf
argument RealMemory=3603 Feature=rpi4
defaults # mine
defaults 
defaults SLURMD_OPTIONS="x"
drop-in [Unit]
`;
    expect(parseSlurmd(seen)).toEqual({
      ...{
        installed: '22.05.8-4+deb12u3',
        candidate: null,
        hasClient: true,
        isEnabled: true,
        needsReload: true,
        isActive: true,
      },
      running: ['/usr/sbin/slurmd', '--conf', 'RealMemory=3603 Feature=rpi4'],
      defaults: '# mine\n\nSLURMD_OPTIONS="x"\n',
      dropIn: '[Unit]\n',
    });
  });
});
