/** A board as services see it: what is scraped, named, or booted from the network. */
export interface SiteBoard {
  name: string;
  address: string;
  roles: readonly string[];
}

/** What the services of a cluster share. */
export interface ServiceSite {
  /** DNS domain, such as `home.lab`. */
  domain: string;
  /** IPv4 subnet of the lab in CIDR notation, such as `10.0.0.0/24`. The fixed addresses of services are in it. */
  subnet: string;
  /** The NFS server, and the directory on it that volumes are made in; null where there is no storage board. */
  storage: { server: string; path: string } | null;
  /** Storage class of the volumes; null leaves the cluster's default. */
  storageClass: string | null;
  /** Boards of the inventory, in order of name. */
  boards: readonly SiteBoard[];
  /** Of slurmctld as boards reach it; null where none is configured. */
  slurm: { host: string; port: number } | null;
}
