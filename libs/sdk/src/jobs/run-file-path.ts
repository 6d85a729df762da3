import { relativePathParts } from '../files/relative-path.ts';
import { requestPath } from '../http/request-path.ts';

/**
 * Path of the API for a file of a run directory.
 * @throws UnsafePathError where it is no plain relative path
 */
export const runFilePath = (jobId: string, path: string): string =>
  requestPath('v1', 'jobs', jobId, 'files', ...relativePathParts(path));
