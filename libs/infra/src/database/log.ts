/**
 * Where an adapter tells of what nobody waits for: a connection that was lost, a server that was started.
 * The message never holds a secret; `error` is the cause where there is one.
 */
export type Log = (level: 'info' | 'warn' | 'error', message: string, error?: unknown) => void;
