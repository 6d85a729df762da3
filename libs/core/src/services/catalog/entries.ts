import type { CatalogEntry } from './catalog-entry.ts';
import { certManager } from './entries/cert-manager.ts';
import { dashboard } from './entries/dashboard.ts';
import { dns } from './entries/dns.ts';
import { ingress } from './entries/ingress.ts';
import { logging } from './entries/logging.ts';
import { metallb } from './entries/metallb.ts';
import { monitoring } from './entries/monitoring.ts';
import { netboot } from './entries/netboot.ts';
import { registry } from './entries/registry.ts';
import { sftp } from './entries/sftp.ts';
import { slurmMetrics } from './entries/slurm-metrics.ts';
import { slurm } from './entries/slurm.ts';
import { storage } from './entries/storage.ts';

/** Every service that can be deployed. */
export const ENTRIES: readonly CatalogEntry[] = [
  ...[metallb, dns, ingress, certManager, storage, registry],
  ...[monitoring, slurmMetrics, logging, dashboard],
  ...[slurm, sftp, netboot],
];
