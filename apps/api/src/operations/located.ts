import type { Response } from 'express';
import type { OperationResource } from '#core/operations/operation-resource';

/** Says where an operation that has begun is to be watched. */
export function located(response: Response, operation: OperationResource): OperationResource {
  response.setHeader('Location', `/v1/admin/operations/${operation.id}`);
  return operation;
}
