export interface ApiAnswer {
  status: number;
  text: string;
}

/** The API server has answered with a status that is no success. */
export class ApiRefusal extends Error {
  readonly code: number;
  readonly body: string;

  constructor(method: string, path: string, { status, text }: ApiAnswer) {
    super(`${method} ${path} was answered with ${status}`);
    this.name = 'ApiRefusal';
    this.code = status;
    this.body = text;
  }
}

/** What the API server says of a call that it refuses. */
export interface ApiStatus {
  message: string;
  causes: readonly { field?: string; message?: string; reason?: string }[];
}

const MAX_TEXT = 500;

/** @param body JSON of a `Status`, or what a proxy in between says */
export function readStatus(body: string): ApiStatus {
  try {
    const status = JSON.parse(body) as {
      message?: string;
      details?: { causes?: ApiStatus['causes'] };
    };
    if (typeof status.message === 'string')
      return {
        message: status.message,
        causes: status.details?.causes ?? [],
      };
  } catch {
    // A proxy in between speaks HTML.
  }
  return { message: body === '' ? 'no reason given' : body.slice(0, MAX_TEXT), causes: [] };
}
