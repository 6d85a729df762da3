/** The errno name of a file system error, such as `ENOENT`; undefined for any other error. */
export function errnoOf(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('code' in error) || !('syscall' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}

/** The name is not there, or what stands there now is no directory to go into. */
export function isMissing(error: unknown): boolean {
  const errno = errnoOf(error);
  return errno === 'ENOENT' || errno === 'ENOTDIR' || errno === 'ELOOP' || errno === 'ENAMETOOLONG';
}

/** The entry is there but closed to us: by its mode, or by a lease that another process holds (`EAGAIN`). */
export function isRefused(error: unknown): boolean {
  const errno = errnoOf(error);
  return errno === 'EACCES' || errno === 'EPERM' || errno === 'EAGAIN';
}

/** What went wrong, for an `unknown` answer: without a path, which would only name a file descriptor. */
export function describeFailure(error: unknown): string {
  return errnoOf(error) ?? (error instanceof Error ? error.message : String(error));
}
