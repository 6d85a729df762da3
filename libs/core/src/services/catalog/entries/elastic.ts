import type { PartValues } from '../catalog-entry.ts';
import { fixedAddressAnnotation } from '../load-balancer.ts';
import { objectsPart } from '../objects-part.ts';

export interface ElasticSettings {
  address: string;
  size: string;
  storageClass: string | null;
  elasticVersion: string;
}

/** Elasticsearch, Kibana and Filebeat, which their operator makes of what is asked for here. */
export const elasticParts = ({
  address,
  size,
  storageClass,
  elasticVersion: version,
}: ElasticSettings): PartValues[] => [
  {
    release: 'eck-operator',
    chart: {
      kind: 'repository',
      url: 'https://helm.elastic.co',
      ...{ name: 'eck-operator', version: '3.5.0', digest: null },
    },
    values: { installCRDs: true },
    constraints: { architectures: ['amd64', 'arm64'], memoryMebibytes: 3600 },
  },
  objectsPart('elastic', [
    {
      apiVersion: 'elasticsearch.k8s.elastic.co/v1',
      kind: 'Elasticsearch',
      metadata: { name: 'logs' },
      spec: {
        version,
        // What it holds outlives it, as volumes of the other services do.
        volumeClaimDeletePolicy: 'DeleteOnScaledownOnly',
        nodeSets: [
          {
            name: 'all',
            count: 1,
            // Memory maps need a setting of the node's kernel; machine learning needs more memory than a board has.
            config: { 'node.store.allow_mmap': false, 'xpack.ml.enabled': false },
            podTemplate: {
              spec: {
                containers: [
                  {
                    name: 'elasticsearch',
                    resources: { requests: { memory: '2Gi' }, limits: { memory: '2Gi' } },
                  },
                ],
              },
            },
            volumeClaimTemplates: [
              {
                metadata: { name: 'elasticsearch-data' },
                spec: {
                  ...(storageClass === null ? {} : { storageClassName: storageClass }),
                  accessModes: ['ReadWriteOnce'],
                  resources: { requests: { storage: size } },
                },
              },
            ],
          },
        ],
      },
    },
    {
      apiVersion: 'kibana.k8s.elastic.co/v1',
      kind: 'Kibana',
      metadata: { name: 'logs' },
      spec: {
        version,
        count: 1,
        elasticsearchRef: { name: 'logs' },
        http: {
          service: {
            metadata: { annotations: fixedAddressAnnotation(address) },
            spec: { type: 'LoadBalancer' },
          },
        },
      },
    },
    {
      apiVersion: 'beat.k8s.elastic.co/v1beta1',
      kind: 'Beat',
      metadata: { name: 'logs' },
      spec: {
        version,
        type: 'filebeat',
        elasticsearchRef: { name: 'logs' },
        config: {
          'filebeat.inputs': [
            {
              ...{ type: 'filestream', id: 'containers', paths: ['/var/log/containers/*.log'] },
              prospector: { scanner: { symlinks: true } },
              parsers: [{ container: {} }],
            },
          ],
          processors: [
            {
              // Namespace, pod and container are in the name of the file: nothing has to be asked of the API server.
              dissect: {
                ...{ field: 'log.file.path', target_prefix: 'kubernetes' },
                tokenizer: '/var/log/containers/%{pod}_%{namespace}_%{container}.log',
              },
            },
          ],
        },
        daemonSet: {
          podTemplate: {
            spec: {
              tolerations: [{ operator: 'Exists' }],
              containers: [
                {
                  name: 'filebeat',
                  securityContext: { runAsUser: 0 },
                  volumeMounts: [{ name: 'logs', mountPath: '/var/log', readOnly: true }],
                },
              ],
              volumes: [{ name: 'logs', hostPath: { path: '/var/log' } }],
            },
          },
        },
      },
    },
  ]),
];
