/** What is read of a node, as the API server tells it. A `V1Node` is one. */
export interface ApiNode {
  metadata?: { name?: string; labels?: Readonly<Record<string, string>>; creationTimestamp?: Date };
  spec?: { unschedulable?: boolean };
  status?: {
    addresses?: readonly { type: string; address: string }[];
    capacity?: Readonly<Record<string, string>>;
    conditions?: readonly ApiNodeCondition[];
    nodeInfo?: { kubeletVersion: string; architecture: string; osImage: string; kernelVersion: string };
  };
}

export interface ApiNodeCondition {
  type: string;
  /** `True`, `False` or `Unknown`. */
  status: string;
  /** One word for programs. */
  reason?: string;
  message?: string;
  lastTransitionTime?: Date;
}
