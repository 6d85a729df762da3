import type { SharedConfiguration } from '#core/configuration/configuration';
import type { LabRegistry } from '#core/services/mirror/lab-registry';
import { HttpLabRegistry } from './http-lab-registry.ts';

const TIMEOUT_MS = 3_000;

/** @returns null where no registry is configured */
export function openLabRegistry(configuration: SharedConfiguration): LabRegistry | null {
  const { BRAMBLE_REGISTRY: url, BRAMBLE_DOMAIN: domain } = configuration;
  if (url === undefined) return null;
  return new HttpLabRegistry({ url, aliases: [`registry.${domain}`], timeoutMs: TIMEOUT_MS });
}
