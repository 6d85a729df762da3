/** The key pair that Bramble installs on every board, so that no password need be kept. */
export interface ManagedKey {
  /** In OpenSSH's format. */
  privateKey: string;
  /** One line of `authorized_keys`. */
  publicKeyLine: string;
}
