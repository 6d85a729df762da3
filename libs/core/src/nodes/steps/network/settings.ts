/** A static address as files of network managers have it. */
export interface NetworkSettings {
  address: string;
  prefixLength: number;
  gateway: string | null;
  nameServers: readonly string[];
}

export const cidrOf = ({ address, prefixLength }: NetworkSettings): string => `${address}/${prefixLength}`;
