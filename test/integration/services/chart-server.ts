import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, statSync } from 'node:fs';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { ensureServerCertificate } from '../../lab/kube/certificates.ts';
import type { KubeLab } from '../../lab/kube/kube-lab.ts';

const MANIFEST = 'application/vnd.oci.image.manifest.v1+json';
const CONFIG = 'application/vnd.cncf.helm.config.v1+json';
const CHART = 'application/vnd.cncf.helm.chart.content.v1.tar+gzip';

const sha256 = (data: Buffer): string => `sha256:${createHash('sha256').update(data).digest('hex')}`;

/** A chart repository and a registry, with as much of their protocols as fetching one chart takes. */
export class ChartServer {
  /** Path of every request so far. */
  readonly asked: string[] = [];
  readonly #directory: string;
  readonly #lab: KubeLab;
  readonly #blobs = new Map<string, { type: string; data: Buffer }>();
  readonly #server: ReturnType<typeof createServer>;

  private constructor(lab: KubeLab, directory: string, pair: { cert: Buffer; key: Buffer }) {
    this.#lab = lab;
    this.#directory = directory;
    this.#server = createServer(pair, (request, response) => {
      const path = request.url ?? '';
      this.asked.push(path);
      const found = path.startsWith('/v2/') ? this.#blobs.get(path) : this.#file(path);
      if (found === undefined) return void response.writeHead(404).end();
      response.setHeader('content-type', found.type);
      response.setHeader('content-length', found.data.length);
      response.setHeader('docker-content-digest', sha256(found.data));
      return void response.end(request.method === 'HEAD' ? undefined : found.data);
    });
  }

  static async start(lab: KubeLab, directory: string): Promise<ChartServer> {
    const { certificate, key } = await ensureServerCertificate(join(lab.dir, 'certificates'), 'charts');
    const pair = { cert: readFileSync(certificate), key: readFileSync(key) };
    mkdirSync(directory, { recursive: true });
    const server = new ChartServer(lab, directory, pair);
    await new Promise<void>((resolve) => server.#server.listen(0, '127.0.0.1', resolve));
    return server;
  }

  get host(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /**
   * Publishes a chart's directory in the repository and in the registry, in place of what had that version there.
   * @returns the digests that the repository's index and the registry have for it
   */
  async publish(
    chart: string,
    name: string,
    version: string,
  ): Promise<{ archive: string; manifest: string }> {
    await this.#lab.helm('package', chart, `--destination=${this.#directory}`, `--version=${version}`);
    await this.#lab.helm('repo', 'index', this.#directory);
    const data = readFileSync(join(this.#directory, `${name}-${version}.tgz`));
    const config = Buffer.from(JSON.stringify({ apiVersion: 'v2', name, version }));
    const describe = (mediaType: string, blob: Buffer) => {
      this.#blobs.set(`/v2/charts/${name}/blobs/${sha256(blob)}`, { type: mediaType, data: blob });
      return { mediaType, digest: sha256(blob), size: blob.length };
    };
    const manifest = Buffer.from(
      JSON.stringify({
        ...{ schemaVersion: 2, mediaType: MANIFEST },
        config: describe(CONFIG, config),
        layers: [describe(CHART, data)],
      }),
    );
    for (const reference of [version, sha256(manifest)])
      this.#blobs.set(`/v2/charts/${name}/manifests/${reference}`, { type: MANIFEST, data: manifest });
    return { archive: sha256(data), manifest: sha256(manifest) };
  }

  close(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }

  #file(path: string): { type: string; data: Buffer } | undefined {
    const file = join(this.#directory, path);
    if (!existsSync(file) || !statSync(file).isFile()) return undefined;
    return { type: 'application/octet-stream', data: readFileSync(file) };
  }
}
