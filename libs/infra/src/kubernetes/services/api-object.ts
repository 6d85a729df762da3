/** What every object has, as JSON of the API server. */
export interface ApiObject {
  apiVersion: string;
  kind: string;
  metadata: ApiMetadata;
  [field: string]: unknown;
}

export interface ApiMetadata {
  name: string;
  namespace?: string;
  uid?: string;
  generation?: number;
  creationTimestamp?: string | null;
  deletionTimestamp?: string;
  labels?: Readonly<Record<string, string>> | null;
  annotations?: Readonly<Record<string, string>> | null;
  ownerReferences?: readonly OwnerReference[];
  managedFields?: readonly ManagedFields[];
}

export interface OwnerReference {
  apiVersion: string;
  kind: string;
  name: string;
  uid: string;
}

export interface ManagedFields {
  manager?: string;
  /** `Apply` or `Update`. */
  operation?: string;
  /** Such as `status`; absent for the object itself. */
  subresource?: string;
  time?: string;
}

export interface ApiCondition {
  type: string;
  /** `True`, `False` or `Unknown`. */
  status: string;
  reason?: string;
  message?: string;
  lastTransitionTime?: string | null;
}

export const conditionOf = (
  conditions: readonly ApiCondition[] | undefined,
  type: string,
): ApiCondition | undefined => conditions?.find((condition) => condition.type === type);

/** `apps` of `apps/v1`, '' of `v1`. */
export const groupOf = (apiVersion: string): string =>
  apiVersion.includes('/') ? apiVersion.slice(0, apiVersion.indexOf('/')) : '';
