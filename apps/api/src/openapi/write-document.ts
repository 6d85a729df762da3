import { writeFile } from 'node:fs/promises';
import { type InjectionToken, Module } from '@nestjs/common';
import { SELF_DECLARED_DEPS_METADATA } from '@nestjs/common/constants.js';
import { NestFactory } from '@nestjs/core';
import { CONTROLLERS } from '../controllers.ts';
import { buildOpenApiDocument } from './document.ts';

const tokens = CONTROLLERS.flatMap((controller) =>
  (Reflect.getMetadata(SELF_DECLARED_DEPS_METADATA, controller) as { param: InjectionToken }[]).map(
    ({ param }) => param,
  ),
);

/** The routes alone: what the controllers would be given is never called. */
@Module({
  controllers: CONTROLLERS,
  providers: tokens.map((token) => ({ provide: token, useValue: undefined })),
})
class DocumentedModule {}

const [path] = process.argv.slice(2);
if (path === undefined) throw new Error('usage: write-document FILE');
const app = await NestFactory.create(DocumentedModule, {
  preview: true,
  logger: ['error'],
  abortOnError: false,
});
await writeFile(path, `${JSON.stringify(buildOpenApiDocument(app), undefined, 2)}\n`);
