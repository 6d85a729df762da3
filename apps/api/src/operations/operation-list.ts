import { z } from 'zod';
import { operationResourceSchema } from '#core/operations/operation-resource';

export const operationListSchema = z
  .object({ items: z.array(operationResourceSchema) })
  .meta({ id: 'OperationList' });
