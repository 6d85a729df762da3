import { Inject, Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { DiscoveryService, MetadataScanner } from '@nestjs/core';
import { Requires } from './requires.ts';

/** Stops the start where a route does not state who may call it. */
@Injectable()
export class ClosedByDefault implements OnApplicationBootstrap {
  readonly #discovery: DiscoveryService;
  readonly #scanner: MetadataScanner;

  constructor(
    @Inject(DiscoveryService) discovery: DiscoveryService,
    @Inject(MetadataScanner) scanner: MetadataScanner,
  ) {
    this.#discovery = discovery;
    this.#scanner = scanner;
  }

  /** @throws Error naming every open route */
  onApplicationBootstrap(): void {
    const open = this.#discovery.getControllers().flatMap(({ metatype, name }) => {
      if (metatype === null) return [];
      const prototype = metatype.prototype as Record<string, unknown>;
      return this.#scanner
        .getAllMethodNames(prototype)
        .filter((method) => {
          const handler = prototype[method];
          if (typeof handler !== 'function' || !Reflect.hasMetadata('path', handler)) return false;
          return ![handler, metatype].some((target) => Reflect.hasMetadata(Requires.KEY, target));
        })
        .map((method) => `${name}.${method}`);
    });
    if (open.length > 0) throw new Error(`These routes do not state who may call them: ${open.join(', ')}`);
  }
}
