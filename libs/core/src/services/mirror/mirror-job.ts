import type { ImageReference } from './image-reference.ts';
import { copiedReferences, type MirrorPlan } from './mirror-plan.ts';

/**
 * For arm64 and amd64. By its tag: quay.io makes this image anew under the same tag and drops what it was before, so
 * that a digest would be gone within months.
 */
export const SKOPEO_IMAGE = 'quay.io/skopeo/stable:v1.22.2';

/** Where a Job keeps what it copies, one reference a line, in the order of its indexes. */
export const REFERENCES_ANNOTATION = 'bramble/images';

const SOURCES = '/sources';
const CREDENTIALS = '/credentials';
const SKOPEO_USER = 1_000;

const LABELS = {
  'app.kubernetes.io/name': 'image-mirror',
  'app.kubernetes.io/part-of': 'bramble',
  'app.kubernetes.io/managed-by': 'bramble',
};

const metadataOf = ({ name, namespace }: MirrorPlan) => ({ name, namespace, labels: LABELS });

/** What each index of the Job copies: a file of `skopeo sync`, whose YAML JSON is. */
export function mirrorSources(plan: MirrorPlan) {
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: metadataOf(plan),
    immutable: true,
    data: Object.fromEntries(
      plan.copies.map((copy, index) => [`${index}.yaml`, JSON.stringify(sourceOf(copy))]),
    ),
  };
}

/** A tag and a digest are two images: the tag keeps the registry from clearing away what the digest names. */
const sourceOf = ({ registry, repository, tag, digest }: ImageReference) => ({
  [registry]: { images: { [repository]: [tag, digest].filter((one) => one !== null) } },
});

/**
 * A Job with an index for each image: Kubernetes counts what is copied, tries again, and goes on with the others where
 * one fails. Nothing of a reference reaches a shell or an argument.
 */
export function mirrorJob(plan: MirrorPlan) {
  const { copies, options } = plan;
  const { parallelism = 2, attempts = 3, timeoutSeconds = 6 * 3_600, keepSeconds = 86_400 } = options;
  return {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: {
      ...metadataOf(plan),
      annotations: { [REFERENCES_ANNOTATION]: copiedReferences(copies).join('\n') },
    },
    spec: {
      completionMode: 'Indexed',
      completions: copies.length,
      parallelism: Math.min(parallelism, copies.length),
      backoffLimitPerIndex: attempts - 1,
      activeDeadlineSeconds: timeoutSeconds,
      ttlSecondsAfterFinished: keepSeconds,
      template: {
        metadata: { labels: LABELS },
        spec: {
          restartPolicy: 'Never',
          automountServiceAccountToken: false,
          enableServiceLinks: false,
          nodeSelector: { 'kubernetes.io/os': 'linux' },
          affinity: ARCHITECTURES,
          securityContext: {
            runAsNonRoot: true,
            runAsUser: SKOPEO_USER,
            runAsGroup: SKOPEO_USER,
            fsGroup: SKOPEO_USER,
            seccompProfile: { type: 'RuntimeDefault' },
          },
          containers: [container(plan)],
          volumes: volumes(plan),
        },
      },
    },
  };
}

const ARCHITECTURES = {
  nodeAffinity: {
    requiredDuringSchedulingIgnoredDuringExecution: {
      nodeSelectorTerms: [
        {
          matchExpressions: [{ key: 'kubernetes.io/arch', operator: 'In', values: ['arm64', 'amd64'] }],
        },
      ],
    },
  },
};

function container({ registry, options }: MirrorPlan) {
  const { image = SKOPEO_IMAGE, credentialsSecret } = options;
  return {
    name: 'copy',
    image,
    command: ['/usr/bin/skopeo'],
    args: [
      'sync',
      // Every architecture, and the very manifests: a reference by digest finds nothing else.
      '--all',
      '--preserve-digests',
      '--scoped',
      '--retry-times=2',
      `--dest-tls-verify=${!registry.plainHttp}`,
      '--src=yaml',
      '--dest=docker',
      `${SOURCES}/$(JOB_COMPLETION_INDEX).yaml`,
      registry.hosts[0] ?? '',
    ],
    env: [
      { name: 'HOME', value: '/tmp' },
      { name: 'TMPDIR', value: '/tmp' },
      ...(credentialsSecret === undefined
        ? []
        : [{ name: 'REGISTRY_AUTH_FILE', value: `${CREDENTIALS}/auth.json` }]),
    ],
    // Its last lines are the reason of a failure.
    terminationMessagePolicy: 'FallbackToLogsOnError',
    securityContext: {
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'] },
    },
    resources: { requests: { cpu: '100m', memory: '64Mi' }, limits: { memory: '512Mi' } },
    volumeMounts: [
      { name: 'sources', mountPath: SOURCES, readOnly: true },
      { name: 'tmp', mountPath: '/tmp' },
      ...(credentialsSecret === undefined
        ? []
        : [{ name: 'credentials', mountPath: CREDENTIALS, readOnly: true }]),
    ],
  };
}

function volumes({ name, options: { credentialsSecret } }: MirrorPlan) {
  return [
    { name: 'sources', configMap: { name } },
    { name: 'tmp', emptyDir: { sizeLimit: '1Gi' } },
    ...(credentialsSecret === undefined
      ? []
      : [
          {
            name: 'credentials',
            secret: {
              secretName: credentialsSecret,
              defaultMode: 0o440,
              items: [{ key: '.dockerconfigjson', path: 'auth.json' }],
            },
          },
        ]),
  ];
}
