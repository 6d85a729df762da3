import type { INestApplication } from '@nestjs/common';
import { DocumentBuilder, type OpenAPIObject, SwaggerModule } from '@nestjs/swagger';
import { SchemaConverter } from './schema-converter.ts';

const DESCRIPTION = `Jobs for Slurm and MPI on a small cluster.

Sign in with **Authorize** and an API key (\`brk_…\`). The first start of the API writes one for the user \`admin\` to a
file and says where. Everything that takes time answers 202 with a resource that can be watched. Errors are
\`application/problem+json\` with a stable \`code\` and, for a request that is not right, every faulty field.`;

/** Ids of the schemas that request bodies are checked against. */
const BODIES = [
  'JobRequest',
  'NewUser',
  'NewApiKey',
  'EnrolmentRequest',
  'ApplyRequest',
  'OperationRequest',
  'DiscoveryRequest',
  'InstallRequest',
  'UpgradeRequest',
  'RollbackRequest',
  'UninstallRequest',
];

export function buildOpenApiDocument(app: INestApplication): OpenAPIObject {
  const options = new DocumentBuilder()
    .setOpenAPIVersion('3.1.0')
    .setTitle('Bramble')
    .setDescription(DESCRIPTION)
    .setVersion('1')
    .setLicense('Apache-2.0', 'https://www.apache.org/licenses/LICENSE-2.0')
    .addBearerAuth({ type: 'http', scheme: 'bearer', bearerFormat: 'brk_…', description: 'An API key.' })
    .build();
  const document = SwaggerModule.createDocument(app, options, {
    operationIdFactory: (controller, method) =>
      `${controller.replace(/Controller$/, '').replace(/^./, (letter) => letter.toLowerCase())}_${method}`,
    standardSchemaConverter: new SchemaConverter(BODIES).convert,
  });
  nameProblems(document);
  return document;
}

/** The generator gives every answer of a route the media types of its success; problems have one of their own. */
function nameProblems(document: OpenAPIObject): void {
  for (const path of Object.values(document.paths)) {
    for (const operation of [path.get, path.post, path.delete]) {
      for (const response of Object.values(operation?.responses ?? {})) {
        if (response === undefined || '$ref' in response) continue;
        const [problem] = Object.values(response.content ?? {});
        if (problem?.schema === undefined || !('$ref' in problem.schema)) continue;
        if (problem.schema.$ref === '#/components/schemas/Problem')
          response.content = { 'application/problem+json': problem };
      }
    }
  }
}

/** Where people and programs find the document. It is made when it is first asked for: that takes a tenth of a start. */
export function serveOpenApiDocument(app: INestApplication): void {
  SwaggerModule.setup('docs', app, () => buildOpenApiDocument(app), {
    jsonDocumentUrl: 'openapi.json',
    yamlDocumentUrl: 'openapi.yaml',
    customSiteTitle: 'Bramble API',
    swaggerOptions: { persistAuthorization: true, displayRequestDuration: true, tryItOutEnabled: true },
  });
}
