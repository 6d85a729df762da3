import { Controller, Get, HttpCode, Inject, Param, Post, Query, Req, Res } from '@nestjs/common';
import {
  ApiBody,
  ApiConsumes,
  ApiHeader,
  ApiOperation,
  ApiProduces,
  ApiResponse,
  ApiTags,
} from '@nestjs/swagger';
import type { Request, Response } from 'express';
import { z } from 'zod';
import { type Caller, maySee } from '#core/access/caller';
import {
  type Artifact,
  type ArtifactContents,
  artifactNameSchema,
  type ArtifactResource,
  artifactResourceSchema,
  type ArtifactStore,
  toArtifactResource,
} from '#core/artifacts/artifact';
import { UploadArtifact } from '#core/artifacts/upload-artifact';
import type { ApiConfiguration } from '#core/configuration/configuration';
import { pageQuery } from '#core/vocabulary/page';
import { notFound, Problem } from '#core/vocabulary/problem';
import { CurrentCaller } from '../access/current-caller.ts';
import { Requires } from '../access/requires.ts';
import { readHeader } from '../http/header.ts';
import { sendFile } from '../http/send-file.ts';
import { Answers } from '../openapi/answers.ts';
import { ARTIFACT_CONTENTS, ARTIFACT_STORE, CONFIGURATION } from '../ports.ts';

const artifactIdSchema = z.string().regex(/^art_[0-9a-z]{26}$/, 'must be the id of an artifact');
const uploadQuerySchema = z.strictObject({ name: artifactNameSchema.describe('File name, for people.') });
const artifactListSchema = z
  .object({
    items: z.array(artifactResourceSchema),
    next: z.string().nullable().describe('Cursor of the next page.'),
  })
  .meta({ id: 'ArtifactList' });
const listQuerySchema = z.strictObject(pageQuery);
const sha256Schema = z.string().regex(/^[0-9a-f]{64}$/, 'must be 64 hexadecimal digits, lower case');

@ApiTags('artifacts')
@Controller('v1/artifacts')
export class ArtifactsController {
  readonly #store: ArtifactStore;
  readonly #contents: ArtifactContents;
  readonly #upload: UploadArtifact;
  readonly #maximumBytes: number;

  constructor(
    @Inject(ARTIFACT_STORE) store: ArtifactStore,
    @Inject(ARTIFACT_CONTENTS) contents: ArtifactContents,
    @Inject(UploadArtifact) upload: UploadArtifact,
    @Inject(CONFIGURATION) configuration: ApiConfiguration,
  ) {
    this.#store = store;
    this.#contents = contents;
    this.#upload = upload;
    this.#maximumBytes = configuration.BRAMBLE_MAX_UPLOAD_BYTES;
  }

  @Post()
  @HttpCode(201)
  @Requires('artifacts:write')
  @ApiOperation({
    summary: 'Upload a file',
    description:
      'The body is the file itself. The same content is kept once, and the same file under the same name is the same ' +
      'artifact: an upload may be repeated. A digest in `X-Content-SHA256` is checked.',
  })
  @ApiConsumes('application/octet-stream')
  @ApiBody({ schema: { type: 'string', format: 'binary' } })
  @ApiHeader({ name: 'X-Content-SHA256', required: false, description: 'Hexadecimal SHA-256 of the body.' })
  @Answers(201, artifactResourceSchema, [400, 413, 415, 422])
  async upload(
    @CurrentCaller() caller: Caller,
    @Query({ schema: uploadQuerySchema }) query: z.output<typeof uploadQuerySchema>,
    @Req() request: Request,
    @Res({ passthrough: true }) response: Response,
  ): Promise<ArtifactResource> {
    if (request.is('application/octet-stream') !== 'application/octet-stream') {
      throw new Problem(
        'unsupported_media_type',
        'Send the file itself as the body, with "Content-Type: application/octet-stream".',
      );
    }
    const expectedSha256 = readHeader(request, 'X-Content-SHA256', sha256Schema);
    this.#refuseTooLarge(request);
    const artifact = await this.#upload.run({
      ownerId: caller.userId,
      name: query.name,
      content: request.iterator({ destroyOnReturn: false }),
      maximumBytes: this.#maximumBytes,
      expectedSha256,
    });
    response.setHeader('Location', `/v1/artifacts/${artifact.id}`);
    return toArtifactResource(artifact);
  }

  @Get()
  @Requires('artifacts:read')
  @ApiOperation({ summary: "List one's artifacts, newest first" })
  @Answers(200, artifactListSchema, [400])
  async list(
    @CurrentCaller() caller: Caller,
    @Query({ schema: listQuerySchema }) query: z.output<typeof listQuerySchema>,
  ): Promise<z.output<typeof artifactListSchema>> {
    const page = await this.#store.list(caller.userId, query);
    return { items: page.items.map(toArtifactResource), next: page.next };
  }

  @Get(':id')
  @Requires('artifacts:read')
  @ApiOperation({ summary: 'Read what is known of an artifact' })
  @Answers(200, artifactResourceSchema, [404])
  async get(
    @CurrentCaller() caller: Caller,
    @Param('id', { schema: artifactIdSchema }) id: string,
  ): Promise<ArtifactResource> {
    return toArtifactResource(await this.#find(caller, id));
  }

  @Get(':id/content')
  @Requires('artifacts:read')
  @ApiOperation({ summary: 'Download an artifact, whole or a range' })
  @ApiHeader({ name: 'Range', required: false, description: '`bytes=0-1023`' })
  @ApiProduces('application/octet-stream')
  @ApiResponse({ status: 206, description: 'The range that was asked for.' })
  @Answers(200, z.string().meta({ format: 'binary' }), [404, 416])
  async content(
    @CurrentCaller() caller: Caller,
    @Param('id', { schema: artifactIdSchema }) id: string,
    @Req() request: Request,
    @Res() response: Response,
  ): Promise<void> {
    const { sha256, name } = await this.#find(caller, id);
    await sendFile(request, response, await this.#contents.open(sha256), { name, etag: `"${sha256}"` });
  }

  async #find(caller: Caller, id: string): Promise<Artifact> {
    const artifact = await this.#store.find(id);
    if (artifact === undefined || !maySee(caller, artifact.ownerId)) throw notFound('artifact', id);
    return artifact;
  }

  #refuseTooLarge(request: Request): void {
    if (Number(request.headers['content-length'] ?? 0) <= this.#maximumBytes) return;
    throw new Problem(
      'payload_too_large',
      `The file is larger than the ${this.#maximumBytes} bytes that are allowed.`,
    );
  }
}
