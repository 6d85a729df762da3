import { z } from 'zod';
import { addressFault, fixedAddress } from './address-plan.ts';
import type { FixedAddress } from './address-plan.ts';
import type { ServiceSite } from './service-site.ts';

/*
 * Fields that several services have in their settings. Defaults are checked like what is given (`prefault`): one that comes
 * from the site may be wrong there.
 */

/** An IPv4 address in the subnet of the site. */
export const siteAddress = (site: ServiceSite) =>
  z.ipv4('must be an IPv4 address').superRefine((address, context) => {
    const fault = addressFault(address, site.subnet);
    if (fault !== undefined) context.addIssue({ code: 'custom', message: fault });
  });

/** The address that the load balancer gives a service, as the plan of the lab has it where nothing else is said. */
export const serviceAddress = (site: ServiceSite, name: FixedAddress) =>
  siteAddress(site).prefault(fixedAddress(site, name));

/** An address that may be left out: null. */
export const optionalServiceAddress = (site: ServiceSite, name: FixedAddress) =>
  siteAddress(site).nullable().prefault(fixedAddress(site, name));

export const volumeSize = (size: string) =>
  z
    .string()
    .regex(/^[1-9]\d{0,5}[MGT]i$/, 'must be a size with its unit Mi, Gi or Ti, such as "10Gi"')
    .prefault(size);

const DNS_LABEL = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/;
/** What most objects of Kubernetes are named like. */
export const objectName = z
  .string()
  .regex(DNS_LABEL, 'must be 1 to 63 lower-case letters, digits or "-", such as "home-lab"');

export const storageClassName = (site: ServiceSite) =>
  z
    .string()
    .regex(
      /^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$/,
      'must be the name of a storage class: see `kubectl get storageclass`',
    )
    .nullable()
    .prefault(site.storageClass)
    .describe("Storage class of its volumes. null: the cluster's default.");

const HOST = /^[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?$/;
export const hostName = z.string().regex(HOST, 'must be a host name or an IPv4 address');

export const absolutePath = z
  .string()
  .max(200)
  .regex(
    /^(\/[A-Za-z0-9_][A-Za-z0-9._-]*)+$/,
    'must be an absolute path of letters, digits, "_", "." and "-"',
  );

/** An export of an NFS server. Where the site has no storage, it has to be given. */
export const nfsExport = (defaults: { server: string; path: string } | null) => {
  const schema = z
    .strictObject(
      {
        server: hostName.describe('Host or address of the NFS server.'),
        path: absolutePath.describe('Directory that it exports.'),
      },
      { error: (issue) => (issue.input === undefined ? MISSING_STORAGE : undefined) },
    )
    .describe('An export of an NFS server.');
  return defaults === null ? schema : schema.prefault(defaults);
};
const MISSING_STORAGE =
  'must be given, as {"server": …, "path": …}: the site has no storage that it could be taken from';

/** A secret of one line; it is sealed, and never shown. */
export const secretText = (description: string) =>
  z
    .string()
    .min(8, 'must have at least 8 characters')
    .max(256, 'must have at most 256 characters')
    .regex(/^[^\r\n\0]*$/, 'must be one line')
    .nullable()
    .prefault(null)
    .describe(description)
    .meta({ writeOnly: true });
