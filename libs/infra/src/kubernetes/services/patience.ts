/**
 * How long something that may pass by itself is given before it is lasting. A cluster of Raspberry Pis is slow, and its
 * nodes restart in two minutes; a claim is provisioned, and a Secret written, within seconds.
 */
export const PATIENCE = {
  /** From the first failure to pull an image: the third attempt is then over. */
  imageMs: 60_000,
  /** Until a Secret or ConfigMap that a container names is there. */
  configurationMs: 60_000,
  /** Until a node has room. */
  schedulingMs: 120_000,
  /** Until a volume is bound or mounted: mount.nfs itself tries for two minutes. */
  volumeMs: 120_000,
  /** Until a controller may make its pods. */
  creationMs: 30_000,
  /** Ends of a container, after which another start will not help. */
  restarts: 3,
  /** The same while others of the release are still starting: it may wait for them. Five minutes go by until then. */
  restartsBesideOthers: 6,
} as const;

/** Whether something that began at `since` has lasted at `now`. Without a beginning it has not. */
export const hasLasted = (since: Date | null, now: Date, forMs: number): boolean =>
  since !== null && now.getTime() - since.getTime() >= forMs;

export const dateOf = (text: string | null | undefined): Date | null =>
  text === undefined || text === null ? null : new Date(text);
