import { dirname } from 'node:path';
import { makePrivateDirectory } from '@mizzen/control-plane';
import type { XdsServer } from '@mizzen/control-plane';
import { systemClock } from './clock.ts';

export interface AdsOptions {
  /** Path of the unix socket, or a named pipe on Windows. */
  readonly path: string;
  readonly server: XdsServer;
  readonly onProblem: (message: string) => void;
}

/**
 * Serves Envoys of this machine, once there are to be any: gRPC and Envoy's API in binary take a while to load, which a
 * mesh on Mizzen's own proxy does not wait for.
 */
export class Ads {
  readonly #options: AdsOptions;
  #listener: Promise<{ close(): Promise<void> } | undefined> | undefined;

  constructor(options: AdsOptions) {
    this.#options = options;
  }

  /** Resolves when Envoys can connect, or it was said why they cannot. */
  async serve(): Promise<void> {
    await (this.#listener ??= this.#listen());
  }

  async close(): Promise<void> {
    await (await this.#listener)?.close();
  }

  async #listen(): Promise<{ close(): Promise<void> } | undefined> {
    const { path, server, onProblem } = this.#options;
    try {
      if (process.platform !== 'win32') makePrivateDirectory(dirname(path));
      const { GrpcXdsListener } = await import('@mizzen/control-plane/grpc/listener.ts');
      const listener = new GrpcXdsListener({ bind: { path }, server, clock: systemClock, onProblem });
      await listener.listen();
      return listener;
    } catch (error) {
      onProblem(`Envoys cannot be configured: ${error instanceof Error ? error.message : String(error)}`);
      return undefined;
    }
  }
}
