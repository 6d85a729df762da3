import { describe, expect, it } from 'vitest';
import { refuseCommandLine, withMemoryController } from './kernel-command-line.ts';

const PLAIN =
  'console=serial0,115200 console=tty1 root=PARTUUID=4e639091-02 rootfstype=ext4 fsck.repair=yes rootwait';

describe("the kernel's command line", () => {
  it('gets the memory controller at its end, on one line', () => {
    expect(withMemoryController(`${PLAIN}\n`)).toBe(`${PLAIN} cgroup_enable=memory cgroup_memory=1\n`);
    expect(withMemoryController(PLAIN)).toBe(`${PLAIN} cgroup_enable=memory cgroup_memory=1\n`);
  });

  it('is the same the second time, byte for byte', () => {
    const once = withMemoryController(`${PLAIN}\n`);
    expect(withMemoryController(once)).toBe(once);
    const spaced = `cgroup_memory=1  ${PLAIN}\tcgroup_enable=memory`;
    expect(withMemoryController(spaced)).toBe(spaced);
  });

  it('loses what contradicts, and no other words', () => {
    expect(
      withMemoryController(`cgroup_disable=memory ${PLAIN} cgroup_enable=cpuset cgroup_enable=memory quiet`),
    ).toBe(`${PLAIN} cgroup_enable=cpuset cgroup_enable=memory quiet cgroup_memory=1\n`);
    expect(withMemoryController(`${PLAIN} xcgroup_enable=memory`)).toBe(
      `${PLAIN} xcgroup_enable=memory cgroup_enable=memory cgroup_memory=1\n`,
    );
  });

  it('is left alone where it is broken already', () => {
    expect(refuseCommandLine(`${PLAIN}\n`)).toBeUndefined();
    expect(refuseCommandLine(`\n${PLAIN}\n\n`)).toBeUndefined();
    expect(refuseCommandLine('')).toBe('it has 0 lines, and the firmware reads one');
    expect(refuseCommandLine(`${PLAIN}\nquiet\n`)).toContain('2 lines');
    expect(refuseCommandLine('console=tty1 quiet\n')).toContain('root=');
  });
});
