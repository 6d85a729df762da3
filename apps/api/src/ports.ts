/** What the controllers are given besides use cases: core's ports, by a token each. */
export const ACCESS_STORE = Symbol('AccessStore');
export const ARTIFACT_CONTENTS = Symbol('ArtifactContents');
export const ARTIFACT_STORE = Symbol('ArtifactStore');
export const CLUSTER_OBSERVATIONS = Symbol('ClusterObservations');
export const CONFIGURATION = Symbol('ApiConfiguration');
export const JOB_CHANGES = Symbol('JobChanges');
export const JOB_STORE = Symbol('JobStore');
export const METRICS = Symbol('ApiMetrics');
export const OPERATION_STORE = Symbol('OperationStore');
export const READINESS = Symbol('Readiness');
export const RUN_FILES = Symbol('RunFiles');
