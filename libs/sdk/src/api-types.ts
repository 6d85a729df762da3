import type { components, operations } from './schema.gen.ts';

type Schemas = components['schemas'];

export type JobResource = Schemas['Job'];
export type JobState = JobResource['state'];
export type JobEvent = Schemas['JobEvent'];
export type Reason = Schemas['Reason'];
export type OutputFile = Schemas['OutputFile'];
export type RunFile = Schemas['RunFile'];
export type RunFileList = Schemas['RunFileList'];
export type Artifact = Schemas['Artifact'];
export type Node = Schemas['Node'];
export type NodeList = Schemas['NodeList'];
export type ObservedNode = Schemas['ObservedNode'];
export type SlurmNode = Schemas['SlurmNode'];
export type NodeBoard = Schemas['NodeBoard'];
export type BoardHealth = Schemas['BoardHealth'];
export type BoardDrift = Schemas['BoardDrift'];
export type NodeEvent = Schemas['NodeEvent'];
export type Discovery = Schemas['Discovery'];
export type FoundMachine = Schemas['FoundMachine'];
export type Partition = Schemas['Partition'];
export type PartitionList = Schemas['PartitionList'];
export type Cluster = Schemas['Cluster'];
export type ClusterNamespace = Schemas['ClusterNamespace'];
export type NamespaceAccess = Schemas['NamespaceAccess'];
export type AccessGrant = Schemas['AccessGrant'];
export type AccessRule = Schemas['AccessRule'];
export type ClusterImage = Schemas['ClusterImage'];
export type User = Schemas['User'];
export type NewUser = Schemas['NewUser'];
export type ApiKeyResource = Schemas['ApiKey'];
export type Board = Schemas['Board'];
export type BoardFacts = Schemas['BoardFacts'];
export type Operation = Schemas['Operation'];
export type CreatedApiKey = Schemas['CreatedApiKey'];
export type NewApiKey = Schemas['NewApiKey'];

/** How to sign in to a board the first time: with a password or a private key, and what is known of its host key. */
export type BoardSignIn = Sendable<Schemas['EnrolmentRequest']['signIn']>;
/** What is sent to enrol a board. */
export type Enrolment = Pick<Schemas['EnrolmentRequest'], 'name' | 'address' | 'roles'> & {
  labels?: Record<string, string> | undefined;
  /** The static address that the board is to have. Default: its network is left as it is. */
  network?: BoardNetwork | null | undefined;
  /** What a storage board offers. */
  storage?: BoardStorage | null | undefined;
  signIn: BoardSignIn;
};
export type BoardNetwork = Pick<Schemas['BoardNetwork'], 'address'> & Sendable<Schemas['BoardNetwork']>;
export type BoardStorage = Sendable<Omit<Schemas['BoardStorage'], 'partitions'>> & {
  partitions: StoragePartition[];
};
export type StoragePartition = Pick<Schemas['BoardStorage']['partitions'][number], 'label'> &
  Sendable<Schemas['BoardStorage']['partitions'][number]>;
export type OperationOutput = Schemas['OperationOutput'];

export type CatalogEntry = Schemas['CatalogEntry'];
export type Service = Schemas['Service'];
export type ServiceRevision = Schemas['ServiceRevision'];
export type ServiceEvent = Schemas['ServiceEvent'];
export type ServiceDrift = Schemas['ServiceDrift'];
export type ContainerLog = Schemas['ContainerLog'];
export type KubernetesObject = Schemas['KubernetesObject'];
/** What is sent to install a service, beside its name. */
export type Installation = Sendable<Omit<Schemas['InstallRequest'], 'name'>>;
export type Upgrade = Sendable<Schemas['UpgradeRequest']>;
export type Rollback = Sendable<Schemas['RollbackRequest']>;
export type Uninstallation = Sendable<Schemas['UninstallRequest']>;

/** What is sent to submit a job, with everything optional that has a default. */
export type JobRequest = Sendable<Omit<Schemas['JobRequest'], 'mpi' | 'inputs'>> & {
  mpi?: MpiProgram | undefined;
  inputs?: JobInput[] | undefined;
};
export type MpiProgram = Sendable<Schemas['MpiProgram']>;
export type MpiSource = NonNullable<Schemas['MpiProgram']['source']>;
export type JobInput = Pick<Schemas['JobInput'], 'path'> & Sendable<Omit<Schemas['JobInput'], 'path'>>;

export type AccessQuery = NonNullable<operations['namespaces_access']['parameters']['query']>;
export type JobListQuery = NonNullable<operations['jobs_list']['parameters']['query']>;

/** The generated types call a field with a default required, because answers always have it; requests need not. */
type Sendable<T> = { [K in keyof T]?: T[K] | undefined };
