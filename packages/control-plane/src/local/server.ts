import { chmodSync, lstatSync, unlinkSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import type { Server, Socket } from 'node:net';
import { dirname } from 'node:path';
import type { JsonObject } from '@mizzen/xds';
import type { XdsServer } from '../xds/server.ts';
import { LocalConnection } from './connection.ts';
import { makePrivateDirectory } from './path.ts';

/** A local xDS socket could not be opened; `code` is stable. */
export class LocalXdsError extends Error {
  readonly code = 'LOCAL_XDS_IN_USE';
}

export interface LocalXdsOptions {
  readonly path: string;
  readonly server: XdsServer;
  /** A node spoke for the first time on a connection. */
  readonly onNode?: (node: string, metadata: JsonObject | undefined) => void;
  readonly onProblem?: (message: string) => void;
}

/** Serves xDS to the processes of this machine on a unix socket that only this user can open (see @mizzen/xds local). */
export class LocalXdsListener {
  readonly #options: LocalXdsOptions;
  readonly #server: Server;
  readonly #connections = new Set<LocalConnection>();

  constructor(options: LocalXdsOptions) {
    this.#options = options;
    this.#server = createServer((socket) => this.#accept(socket));
  }

  /** @throws LocalXdsError when another process serves on the path. */
  async listen(): Promise<void> {
    const { path } = this.#options;
    const pipe = process.platform === 'win32';
    if (!pipe) {
      makePrivateDirectory(dirname(path));
      await removeStale(path);
    }
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(path, () => {
        this.#server.off('error', reject);
        resolve();
      });
    });
    if (!pipe) chmodSync(path, 0o600);
  }

  async close(): Promise<void> {
    for (const connection of this.#connections) connection.destroy();
    await new Promise<void>((resolve) => {
      this.#server.close(() => resolve());
    });
  }

  #accept(socket: Socket): void {
    const connection = new LocalConnection(socket, this.#options, () => this.#connections.delete(connection));
    this.#connections.add(connection);
  }
}

/**
 * A socket that nobody answers on is a dead process's; anything else at the path is somebody's file.
 * @throws LocalXdsError when it is that, or somebody answers.
 */
export async function removeStale(path: string): Promise<void> {
  const there = lstatSync(path, { throwIfNoEntry: false });
  if (there === undefined) return;
  if (!there.isSocket()) throw new LocalXdsError(`${path} is there already and is not a socket`);
  const alive = await new Promise<boolean>((resolve) => {
    const probe = connect(path);
    probe.once('connect', () => {
      probe.destroy();
      resolve(true);
    });
    probe.once('error', () => resolve(false));
  });
  if (alive) throw new LocalXdsError(`another process serves xDS on ${path}`);
  try {
    unlinkSync(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
}
