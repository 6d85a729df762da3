import { z } from 'zod';

type JsonSchema = Record<string, unknown>;
type Io = 'input' | 'output';

const REFERENCE = '#/components/schemas/';

/**
 * zod schemas as OpenAPI 3.1 components: a schema with an id becomes a component of that name. What is sent and what
 * is answered differ where a default makes a field optional to send and certain to be answered; of such a schema the
 * answered form is called `…Output`.
 */
export class SchemaConverter {
  readonly #components: Record<Io, Record<string, JsonSchema>>;
  readonly #sent: ReadonlySet<string>;

  /** @param bodies ids of the schemas that requests are checked against */
  constructor(bodies: readonly string[]) {
    this.#components = { input: registered('input'), output: registered('output') };
    this.#sent = closure(this.#components.input, bodies);
  }

  readonly convert = (
    schema: unknown,
    { schemaType: io }: { schemaType: Io },
  ): { schema: unknown; components: Record<string, JsonSchema> } | undefined => {
    if (!(schema instanceof z.ZodType)) return undefined;
    const id = schema.meta()?.id;
    const json = id === undefined ? bare(z.toJSONSchema(schema, options(io))) : { $ref: REFERENCE + id };
    const ids = [...closure(this.#components[io], references(json))];
    return {
      schema: mapReferences(json, (name) => this.#name(name, io)),
      components: Object.fromEntries(
        ids.map((name) => [
          this.#name(name, io),
          mapReferences(this.#components[io][name], (inner) => this.#name(inner, io)) as JsonSchema,
        ]),
      ),
    };
  };

  #name(id: string, io: Io): string {
    return io === 'output' && this.#sent.has(id) ? `${id}Output` : id;
  }
}

function options(io: Io) {
  return {
    io,
    target: 'draft-2020-12' as const,
    unrepresentable: 'any' as const,
    // Clients must bear fields that a newer server adds to its answers.
    override: ({ jsonSchema }: { jsonSchema: z.core.JSONSchema.BaseSchema }) => {
      if (io === 'output' && jsonSchema.additionalProperties === false)
        delete jsonSchema.additionalProperties;
      // What zod adds to say what JavaScript can hold: it says nothing of the API.
      if (jsonSchema.maximum === Number.MAX_SAFE_INTEGER) delete jsonSchema.maximum;
      if (jsonSchema.minimum === Number.MIN_SAFE_INTEGER) delete jsonSchema.minimum;
      if (jsonSchema.format === 'date-time') delete jsonSchema.pattern;
    },
  };
}

function registered(io: Io): Record<string, JsonSchema> {
  const { schemas } = z.toJSONSchema(z.globalRegistry, { ...options(io), uri: (id) => REFERENCE + id });
  return Object.fromEntries(Object.entries(schemas).map(([id, json]) => [id, bare(json as JsonSchema)]));
}

function bare({
  $schema: _schema,
  $id: _id,
  $defs: _definitions,
  id: _name,
  ...json
}: JsonSchema): JsonSchema {
  return json;
}

function closure(components: Record<string, JsonSchema>, roots: readonly string[]): Set<string> {
  const found = new Set<string>();
  const open = [...roots];
  for (let id = open.pop(); id !== undefined; id = open.pop()) {
    if (found.has(id)) continue;
    const json = components[id];
    if (json === undefined) throw new Error(`no schema has the id ${id}`);
    found.add(id);
    open.push(...references(json));
  }
  return found;
}

function references(json: unknown): string[] {
  const found: string[] = [];
  mapReferences(json, (id) => {
    found.push(id);
    return id;
  });
  return found;
}

function mapReferences(json: unknown, rename: (id: string) => string): unknown {
  if (Array.isArray(json)) return json.map((item) => mapReferences(item, rename));
  if (json === null || typeof json !== 'object') return json;
  return Object.fromEntries(
    Object.entries(json).map(([key, value]) =>
      key === '$ref' && typeof value === 'string' && value.startsWith(REFERENCE)
        ? [key, REFERENCE + rename(value.slice(REFERENCE.length))]
        : [key, mapReferences(value, rename)],
    ),
  );
}
