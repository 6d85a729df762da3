import { z } from 'zod';
import { addressAt, fixedAddress, netmaskOf, networkOf } from '../address-plan.ts';
import { catalogEntry } from '../catalog-entry.ts';
import { nfsExport, objectName, siteAddress } from '../setting-fields.ts';
import type { ServiceSite } from '../service-site.ts';

export const netboot = catalogEntry({
  name: 'netboot',
  aliases: ['dhcp', 'dhcpd', 'tftp', 'pxe', 'dnsmasq'],
  title: 'dnsmasq: DHCP, TFTP and network boot',
  description:
    'Gives machines addresses and boards the files that they start from. It is on the network of one node, because DHCP is ' +
    "broadcast: its address is that node's. In mode `full` it must be the only DHCP server of the network; in mode `proxy` " +
    'another one gives the addresses. Not needed for boards that start from their own disks.',
  namespace: 'netboot',
  namespaceLabels: { 'pod-security.kubernetes.io/enforce': 'privileged' },
  constraints: { architectures: ['amd64', 'arm64'], kubernetes: '1.28', kernelModules: ['nfs'] },
  dependsOn: [],
  forceConflicts: false,
  timeoutMs: 300_000,
  settings: (site) =>
    z
      .strictObject({
        node: objectName.default('kv-worker-0').describe('Kubernetes node that it runs on.'),
        interface: z
          .string()
          .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,14}$/, 'must be the name of an interface, such as "eth0"')
          .default('eth0')
          .describe("The node's interface to the boards."),
        mode: z
          .enum(['full', 'proxy'])
          .default('full')
          .describe('full: the only DHCP server. proxy: another one gives addresses.'),
        pool: z
          .strictObject({ first: siteAddress(site), last: siteAddress(site) })
          .nullable()
          .prefault({ first: addressAt(site.subnet, 200), last: addressAt(site.subnet, 250) })
          .describe('Addresses for everybody; null gives addresses to the listed boards only. Mode full.'),
        gateway: siteAddress(site)
          .nullable()
          .prefault(addressAt(site.subnet, 1))
          .describe('The router that machines are told of; null tells none. Mode full.'),
        nameServers: z
          .array(z.ipv4('must be an IPv4 address'))
          .max(3, 'must have at most 3 servers')
          .prefault([fixedAddress(site, 'dns')])
          .describe('Name servers that machines are told of. Mode full.'),
        boards: z
          .array(
            z.strictObject({
              name: objectName.describe(
                'Name of the board; where it is enrolled, its address comes from there.',
              ),
              serial: z
                .string()
                .regex(/^([0-9a-f]{8}|[0-9a-f]{16})$/, 'must be 8 or 16 hex digits in lower case')
                .describe('Serial number of the board, or its last 8 digits.'),
              mac: z
                .string()
                .regex(/^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/, 'must be like "dc:a6:32:01:02:03"')
                .describe('MAC address of its interface.'),
              address: siteAddress(site)
                .optional()
                .describe('Its address, where it is not enrolled. Mode full.'),
              boot: z.enum(['network', 'disk']).default('disk').describe('Where it is to start from.'),
            }),
          )
          .default([])
          .describe('Boards that get a fixed address, or start from the network.'),
        files: nfsExport(
          site.storage === null ? null : { server: site.storage.server, path: '/srv/netboot' },
        ).describe(
          'Export with a directory for each board, named after the last 8 digits of its serial number.',
        ),
      })
      .superRefine(({ mode, boards }, context) => {
        if (mode === 'full')
          boards.forEach((board, index) => {
            if (addressOf(board, site) === undefined)
              context.addIssue({
                ...{ code: 'custom', path: ['boards', index, 'address'] },
                message: 'must be given: no board of this name is enrolled',
              });
          });
      }),
  parts: ({ node, interface: name, mode, pool, gateway, nameServers, boards, files }, site) => [
    {
      release: 'netboot',
      chart: { kind: 'own', name: 'netboot' },
      values: {
        image: { repository: `registry.${site.domain}/bramble/netboot` },
        nodeSelector: { 'kubernetes.io/hostname': node },
        interface: name,
        dhcp: {
          ...{ mode, pool, gateway, nameServers, domain: site.domain },
          ...{ subnet: networkOf(site.subnet), netmask: netmaskOf(site.subnet) },
        },
        boards: boards.map(({ address, ...board }) => {
          const given = mode === 'full' ? addressOf({ name: board.name, address }, site) : undefined;
          return given === undefined ? board : { ...board, address: given };
        }),
        tftp: { nfs: files },
      },
    },
  ],
  addressSettings: [],
  secretSettings: [],
});

const addressOf = (
  { name, address }: { name: string; address?: string | undefined },
  site: ServiceSite,
): string | undefined => address ?? site.boards.find((board) => board.name === name)?.address;
