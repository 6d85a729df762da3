export type * from './api-types.ts';
export { type ApplyOptions, Boards } from './admin/boards.ts';
export { Discoveries } from './admin/discoveries.ts';
export { Keys, type KeyQuery } from './admin/keys.ts';
export { type OperationChange, Operations } from './admin/operations.ts';
export { Users } from './admin/users.ts';
export { type ArtifactQuery, Artifacts, type StreamedFile } from './artifacts/artifacts.ts';
export type { UploadOptions, UploadProgress } from './artifacts/upload.ts';
export type { BrambleOptions } from './bramble-options.ts';
export { Images } from './cluster/images.ts';
export { type AccessOptions, Namespaces } from './cluster/namespaces.ts';
export { type NodeEventOptions, Nodes } from './cluster/nodes.ts';
export { Partitions } from './cluster/partitions.ts';
export {
  ApiError,
  AuthenticationError,
  ConflictError,
  type FieldFault,
  InvalidRequestError,
  NotFoundError,
  PermissionError,
  ServerError,
  UnprocessableError,
} from './errors/api-error.ts';
export {
  BrambleError,
  ConfigurationError,
  ConnectionError,
  TimeoutError,
  UnsupportedError,
} from './errors/bramble-error.ts';
export { FileExistsError, IntegrityError, UnsafePathError } from './errors/file-errors.ts';
export type { DownloadedFile, DownloadOptions, DownloadProgress } from './files/download.ts';
export type { LocalFile } from './files/local-file.ts';
export { type ReadOptions, RemoteFile } from './files/remote-file.ts';
export type { CallOptions } from './http/api-request.ts';
export type { EventOptions } from './jobs/job-events.ts';
export { type FileListOptions, Job, JobFailedError } from './jobs/job.ts';
export { JobOutputs } from './jobs/job-outputs.ts';
export type {
  InputSubmission,
  JobSubmission,
  LocalInput,
  MpiSubmission,
  SubmissionProgress,
  SubmitOptions,
} from './jobs/job-submission.ts';
export { type JobQuery, Jobs } from './jobs/jobs.ts';
export type { LogLine, LogOptions, LogStream, LogTextOptions } from './jobs/log-line.ts';
export type { WaitOptions } from './jobs/wait-for-job.ts';
export { type Page, Pages } from './pages.ts';
export {
  type InstallOptions,
  type RollbackOptions,
  type ServiceLogOptions,
  Services,
  type UninstallOptions,
  type UpgradeOptions,
} from './services/services.ts';
