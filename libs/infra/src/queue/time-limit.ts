/**
 * Gives an operation a time limit. Its signal aborts at the limit, so that it begins nothing new after that.
 * @throws Error with the message when the limit is reached
 */
export async function withTimeLimit<T>(
  limitMs: number,
  message: string,
  operation: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const limit = new AbortController();
  const timer = setTimeout(() => limit.abort(new Error(message)), limitMs);
  const reached = new Promise<never>((_, reject) => {
    limit.signal.addEventListener('abort', () => reject(limit.signal.reason as Error), { once: true });
  });
  try {
    return await Promise.race([operation(limit.signal), reached]);
  } finally {
    clearTimeout(timer);
  }
}
