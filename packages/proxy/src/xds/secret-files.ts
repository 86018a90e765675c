import { watch, type FSWatcher } from 'node:fs';
import { dirname } from 'node:path';
import type { types } from '@mizzen/xds';

/**
 * Watches the folders of the files that secrets name, so that a secret is read again when something is moved there, as
 * Kubernetes does with the folder that it mounts. A secret with a `watchedDirectory` is read again for that alone.
 */
export class SecretFiles {
  readonly #onMove: (secret: string, watches: number) => void;
  readonly #watchers = new Map<string, { readonly watcher: FSWatcher; readonly secrets: Set<string> }>();
  /** One for each file, or for the directory that is watched instead. */
  readonly #folders = new Map<string, readonly string[]>();

  /** `watches`: how many of them the secret has. */
  constructor(onMove: (secret: string, watches: number) => void) {
    this.#onMove = onMove;
  }

  /** `resource` is what the secret is now. A folder that is not there is not watched. */
  follow(secret: string, resource: unknown): void {
    const folders = foldersOf(resource as types.tls.Secret);
    const before = this.#folders.get(secret) ?? [];
    this.#folders.set(secret, folders);
    for (const folder of new Set(folders)) {
      const known = this.#watchers.get(folder);
      if (known !== undefined) known.secrets.add(secret);
      else this.#watch(folder, secret);
    }
    for (const folder of before) if (!folders.includes(folder)) this.#leave(folder, secret);
  }

  forget(secret: string): void {
    for (const folder of this.#folders.get(secret) ?? []) this.#leave(folder, secret);
    this.#folders.delete(secret);
  }

  keep(secrets: ReadonlySet<string>): void {
    for (const secret of this.#folders.keys()) if (!secrets.has(secret)) this.forget(secret);
  }

  close(): void {
    for (const { watcher } of this.#watchers.values()) watcher.close();
    this.#watchers.clear();
  }

  #watch(folder: string, secret: string): void {
    const secrets = new Set([secret]);
    try {
      const watcher = watch(folder, { persistent: false }, (event) => {
        if (event === 'rename') for (const each of secrets) this.#onMove(each, this.#folders.get(each)?.length ?? 0);
      });
      watcher.on('error', () => {
        watcher.close();
        this.#watchers.delete(folder);
      });
      this.#watchers.set(folder, { watcher, secrets });
    } catch {
      // What is read from there has been refused already, or is not there to change.
    }
  }

  #leave(folder: string, secret: string): void {
    const known = this.#watchers.get(folder);
    known?.secrets.delete(secret);
    if (known === undefined || known.secrets.size > 0) return;
    known.watcher.close();
    this.#watchers.delete(folder);
  }
}

type Sources = readonly (types.core.DataSource | undefined)[];

function foldersOf({
  tlsCertificate,
  validationContext,
  sessionTicketKeys,
  genericSecret,
}: types.tls.Secret): string[] {
  const certificate: Sources = [
    tlsCertificate?.certificateChain,
    tlsCertificate?.privateKey,
    tlsCertificate?.password,
    tlsCertificate?.pkcs12,
    tlsCertificate?.ocspStaple,
  ];
  const validation: Sources = [validationContext?.trustedCa, validationContext?.crl];
  const others: Sources = [...(sessionTicketKeys?.keys ?? []), genericSecret?.secret];
  return [
    ...watched(certificate, tlsCertificate?.watchedDirectory),
    ...watched(validation, validationContext?.watchedDirectory),
    ...watched(others, undefined),
  ];
}

function watched(sources: Sources, directory: types.core.WatchedDirectory | undefined): string[] {
  const files = sources.flatMap((source) => source?.filename ?? []);
  if (files.length === 0) return [];
  return directory?.path === undefined || directory.path === '' ? files.map((file) => dirname(file)) : [directory.path];
}
