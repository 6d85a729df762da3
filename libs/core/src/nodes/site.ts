/** A Unix account that has the same numbers on every board. */
export interface SiteAccount {
  name: string;
  uid: number;
  gid: number;
}

/** A directory of an NFS server, and where compute boards have it. */
export interface SiteMount {
  /** Host or IPv4 address of the server. */
  server: string;
  /** Directory that the server exports. */
  path: string;
  /** Where it is mounted. */
  at: string;
}

/** The Slurm that compute boards join. */
export interface SiteSlurm {
  /** Host of slurmctld as boards reach it. */
  host: string;
  /** TCP port of slurmctld; Slurm's default is 6817. */
  port: number;
  /** munge's key of the cluster, base64. A secret: it goes to boards over standard input only. */
  mungeKey: () => Promise<string>;
}

/** What all boards of a cluster share: the worker's configuration. */
export interface Site {
  /** DNS domain, such as `home.lab`. */
  domain: string;
  /** IPv4 subnet of the boards in CIDR notation, such as `10.0.0.0/24`. */
  subnet: string;
  /** Time servers; empty leaves the distribution's own. */
  timeServers: readonly string[];
  /** URL of a package proxy; null takes the cache of a storage board, where one is enrolled. */
  aptProxy: string | null;
  accounts: readonly SiteAccount[];
  /** Mounts of compute boards beside those that storage boards export. */
  mounts: readonly SiteMount[];
  /** null where there is no Slurm for boards to join: compute boards then get everything but slurmd. */
  slurm: SiteSlurm | null;
}
