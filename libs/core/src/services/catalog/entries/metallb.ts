import { z } from 'zod';
import { addressAt } from '../address-plan.ts';
import { overlap, rangeSetting } from '../address-ranges.ts';
import { catalogEntry } from '../catalog-entry.ts';
import { objectsPart } from '../objects-part.ts';

export const metallb = catalogEntry({
  name: 'metallb',
  aliases: ['load-balancer'],
  title: 'MetalLB: addresses for services',
  description:
    'Gives services addresses of the network, and answers ARP for them from one of the nodes. Services with a fixed ' +
    'address take it from `fixedAddresses`; those that ask for none get one of `freeAddresses`. No DHCP server may give ' +
    "these addresses to machines. k3s's own ServiceLB has to be off: both would answer for the same services.",
  namespace: 'metallb-system',
  namespaceLabels: { 'pod-security.kubernetes.io/enforce': 'privileged' },
  constraints: { architectures: ['amd64', 'arm64', 'arm'], kubernetes: '1.25' },
  dependsOn: [],
  forceConflicts: false,
  timeoutMs: 300_000,
  settings: (site) => {
    const range = (first: number, last: number) =>
      `${addressAt(site.subnet, first)}-${addressAt(site.subnet, last)}`;
    return z
      .strictObject({
        fixedAddresses: z
          .array(rangeSetting(site))
          .min(1, 'must have at least one range, such as "10.0.0.10-10.0.0.19"')
          // The storage board has the 20th.
          .prefault([range(10, 19), range(21, 49)])
          .describe('Ranges that only those services get an address of that ask for this very one.'),
        freeAddresses: z
          .array(rangeSetting(site))
          .prefault([range(50, 89)])
          .describe('Ranges for services that ask for no address in particular. Empty: they get none.'),
        interfaces: z
          .array(
            z.string().regex(/^[A-Za-z0-9._-]{1,15}$/, 'must be the name of an interface, such as "eth0"'),
          )
          .default([])
          .describe('Interfaces of the nodes that addresses are announced on. Empty: all of them.'),
      })
      .superRefine(({ fixedAddresses, freeAddresses }, context) => {
        freeAddresses.forEach((free, index) => {
          const same = fixedAddresses.find((fixed) => overlap(free, fixed));
          if (same !== undefined)
            context.addIssue({
              ...{ code: 'custom', path: ['freeAddresses', index] },
              message: `must not have addresses of ${same}, which is one of fixedAddresses`,
            });
        });
      });
  },
  parts: ({ fixedAddresses, freeAddresses, interfaces }) => [
    {
      release: 'metallb',
      chart: {
        kind: 'repository',
        url: 'https://metallb.github.io/metallb',
        ...{ name: 'metallb', version: '0.16.1' },
        digest: 'sha256:fb06bb584fcb7856f15733b2a6a2aff5b61b5c350687e341c163ae24a5938adc',
      },
      // The chart starts a BGP router on every node otherwise, which nobody speaks to in a layer 2 network.
      values: { frrk8s: { enabled: false }, speaker: { frr: { enabled: false } } },
    },
    objectsPart('metallb-addresses', [
      pool('fixed', fixedAddresses, false),
      ...(freeAddresses.length === 0 ? [] : [pool('free', freeAddresses, true)]),
      {
        apiVersion: 'metallb.io/v1beta1',
        kind: 'L2Advertisement',
        metadata: { name: 'lab' },
        spec: {
          ipAddressPools: ['fixed', ...(freeAddresses.length === 0 ? [] : ['free'])],
          ...(interfaces.length === 0 ? {} : { interfaces }),
        },
      },
    ]),
  ],
  addressSettings: [],
  secretSettings: [],
});

const pool = (name: string, addresses: readonly string[], autoAssign: boolean) => ({
  apiVersion: 'metallb.io/v1beta1',
  kind: 'IPAddressPool',
  metadata: { name },
  spec: { addresses, autoAssign },
});
