import { type ArgumentMetadata, Injectable, type PipeTransform } from '@nestjs/common';
import { fieldPath } from '#core/vocabulary/field-path';
import { type FieldFault, Problem } from '#core/vocabulary/problem';

/** Checks bodies, queries and parameters against the schema that their decorator names, and reports every fault. */
@Injectable()
export class SchemaValidationPipe implements PipeTransform {
  async transform(value: unknown, metadata: ArgumentMetadata): Promise<unknown> {
    if (metadata.schema === undefined) return value;
    const result = await metadata.schema['~standard'].validate(value);
    if (result.issues === undefined) return result.value;
    const prefix: PropertyKey[] = [
      ...(metadata.type === 'query' ? ['query'] : []),
      ...(metadata.data === undefined ? [] : [metadata.data]),
    ];
    const faults = result.issues.map((issue): FieldFault => {
      const keys = (issue.path ?? []).map((segment) => (typeof segment === 'object' ? segment.key : segment));
      return { field: fieldPath([...prefix, ...keys]) || 'body', message: issue.message };
    });
    throw new Problem('invalid_request', 'The request is not right.', {
      faults,
    });
  }
}
