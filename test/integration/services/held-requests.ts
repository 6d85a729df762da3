import { readFileSync } from 'node:fs';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { ensureServerCertificate } from '../../lab/kube/certificates.ts';
import type { KubeLab } from '../../lab/kube/kube-lab.ts';

/** A change that somebody asks the API server for, of a ConfigMap or a Secret. */
export interface AskedChange {
  operation: 'CREATE' | 'UPDATE' | 'DELETE';
  kind: string;
  name: string;
}

interface Review {
  request: { uid: string; operation: AskedChange['operation']; kind: { kind: string }; name: string };
}

/**
 * Lets the API server hold changes of ConfigMaps and Secrets of a namespace, by way of an admission webhook, so that
 * whoever asks for them is stopped at that very moment.
 */
export class HeldRequests {
  /** Which changes are held, from now on. */
  #wanted: (change: AskedChange) => boolean = () => false;
  #held: (() => void)[] = [];
  readonly close: () => void;

  private constructor(server: ReturnType<typeof createServer>) {
    this.close = () => {
      server.close();
      server.closeAllConnections();
    };
    server.on('request', (request, response) => {
      let text = '';
      request.setEncoding('utf8').on('data', (part: string) => (text += part));
      request.once('end', () => {
        const { uid, operation, kind, name } = (JSON.parse(text) as Review).request;
        const answer = (): void => {
          const review = { apiVersion: 'admission.k8s.io/v1', kind: 'AdmissionReview' };
          response.setHeader('content-type', 'application/json');
          response.end(JSON.stringify({ ...review, response: { uid, allowed: true } }));
        };
        if (this.#wanted({ operation, kind: kind.kind, name })) this.#held.push(answer);
        else answer();
      });
    });
  }

  static async in(lab: KubeLab, namespace: string): Promise<HeldRequests> {
    const { certificate, key } = await ensureServerCertificate(join(lab.dir, 'certificates'), 'webhook');
    const server = createServer({ cert: readFileSync(certificate), key: readFileSync(key) });
    const held = new HeldRequests(server);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const name = 'hold.bramble.test';
    const caBundle = readFileSync(lab.authority).toString('base64');
    await lab.api.create('/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations', {
      metadata: { name },
      webhooks: [
        {
          ...{ name, sideEffects: 'None', admissionReviewVersions: ['v1'], timeoutSeconds: 30 },
          failurePolicy: 'Fail',
          clientConfig: { url: `https://127.0.0.1:${port}/`, caBundle },
          namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': namespace } },
          rules: [
            {
              ...{ operations: ['CREATE', 'UPDATE', 'DELETE'], apiGroups: [''], apiVersions: ['v1'] },
              resources: ['configmaps', 'secrets'],
            },
          ],
        },
      ],
    });
    return held;
  }

  /** Holds the first change that `wanted` picks; later ones pass. */
  holdFirst(wanted: (change: AskedChange) => boolean): void {
    let waiting = true;
    this.#wanted = (change) => {
      if (!waiting || !wanted(change)) return false;
      waiting = false;
      return true;
    };
  }

  get isHolding(): boolean {
    return this.#held.length > 0;
  }

  /** Lets go what is held. */
  release(): void {
    this.#wanted = () => false;
    for (const answer of this.#held.splice(0)) answer();
  }
}
