import { describe, expect, it } from 'vitest';
import { mpiParameters } from './mpi-parameters.ts';

const BLOCK = `# Kept by Bramble: begin
btl_tcp_if_include = 10.0.0.0/24
oob_tcp_if_include = 10.0.0.0/24
# Kept by Bramble: end
`;

describe('mpiParameters', () => {
  it('adds a block behind what is there, whose last line may lack its end', () => {
    expect(mpiParameters('', '10.0.0.0/24')).toBe(BLOCK);
    expect(mpiParameters('mtl = ^ofi\nosc = ^ucx,pt2pt', '10.0.0.0/24')).toBe(
      `mtl = ^ofi\nosc = ^ucx,pt2pt\n${BLOCK}`,
    );
  });

  it('is the same the second time, and follows the subnet', () => {
    const once = mpiParameters('mtl = ^ofi\n', '10.0.0.0/24');
    expect(mpiParameters(once, '10.0.0.0/24')).toBe(once);
    expect(mpiParameters(once, '10.1.0.0/16')).not.toContain('10.0.0.0/24');
    expect(mpiParameters(`${once}mine = 1\n`, '10.0.0.0/24')).toBe(`mtl = ^ofi\nmine = 1\n${BLOCK}`);
  });
});
