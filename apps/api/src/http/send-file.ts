import { pipeline } from 'node:stream/promises';
import { Readable } from 'node:stream';
import type { Request, Response } from 'express';
import parseRange from 'range-parser';
import type { OpenFile } from '#core/jobs/run-files';
import { Problem } from '#core/vocabulary/problem';

/**
 * Answers a file, or the one byte range that was asked for. Several ranges at once are answered with the whole file,
 * as RFC 9110 allows.
 * @throws Problem `range_not_satisfiable`
 */
export async function sendFile(
  request: Request,
  response: Response,
  file: OpenFile,
  options: { name: string; etag?: string },
): Promise<void> {
  try {
    const range = wantedRange(request, file, options.etag);
    response.setHeader('Accept-Ranges', 'bytes');
    response.setHeader('Last-Modified', file.modifiedAt.toUTCString());
    response.setHeader('Content-Type', 'application/octet-stream');
    response.setHeader(
      'Content-Disposition',
      `attachment; filename*=UTF-8''${encodeURIComponent(options.name)}`,
    );
    if (options.etag !== undefined) response.setHeader('ETag', options.etag);
    if (range === undefined) {
      response.status(200).setHeader('Content-Length', file.size);
    } else {
      response.status(206).setHeader('Content-Length', range.end - range.start + 1);
      response.setHeader('Content-Range', `bytes ${range.start}-${range.end}/${file.size}`);
    }
    if (request.method === 'HEAD') {
      response.end();
      return;
    }
    await pipeline(Readable.from(file.read(range)), response).catch((error: unknown) => {
      if (!response.destroyed) throw error;
    });
  } finally {
    await file.close();
  }
}

function wantedRange(
  request: Request,
  file: OpenFile,
  etag: string | undefined,
): { start: number; end: number } | undefined {
  const header = request.headers.range;
  if (header === undefined) return undefined;
  const condition = request.headers['if-range'];
  if (condition !== undefined && condition !== etag && condition !== file.modifiedAt.toUTCString())
    return undefined;
  const ranges = parseRange(file.size, header, { combine: true });
  if (ranges === -2) return undefined;
  if (ranges === -1) {
    throw new Problem(
      'range_not_satisfiable',
      `The file has ${file.size} bytes; the range lies outside of it.`,
    );
  }
  const [only] = ranges;
  return ranges.type === 'bytes' && ranges.length === 1 && only !== undefined ? only : undefined;
}
