import { existsSync, readFileSync, watch, type FSWatcher } from 'node:fs';
import { basename, dirname } from 'node:path';
import { load } from 'js-yaml';
import { TypeUrl } from '@mizzen/xds';
import type { Nack } from '../../types.ts';
import { nameOf } from '../../program/read-resource.ts';
import type { XdsHandler, XdsResource, XdsSource, XdsSubscription, XdsUpdate } from '../source.ts';
import { refusalText } from './refusal-text.ts';
import { digest } from './world.ts';

export interface FileSourceOptions {
  readonly path: string;
  /** Where moves are looked for instead of at the file itself. */
  readonly watchedDirectory: string | undefined;
  readonly onLog: (level: 'info' | 'warning', message: string) => void;
}

/**
 * Resources of one type in a file that holds a DiscoveryResponse, as YAML or JSON. The file is read again when something
 * is moved to its path (or within the watched directory); what cannot be read changes nothing.
 */
export class FileXdsSource implements XdsSource {
  readonly #options: FileSourceOptions;
  readonly #watcher: FSWatcher | undefined;
  readonly #subscribers: (() => void)[] = [];

  constructor(options: FileSourceOptions) {
    this.#options = options;
    const { path, watchedDirectory } = options;
    const name = basename(path);
    try {
      this.#watcher = watch(watchedDirectory ?? dirname(path), { persistent: false }, (event, file) => {
        if (event !== 'rename' || (watchedDirectory === undefined && file !== name) || !existsSync(path)) return;
        for (const read of this.#subscribers) read();
      });
    } catch (error) {
      options.onLog('warning', `\`${watchedDirectory ?? path}\` cannot be watched: ${text(error)}`);
    }
  }

  subscribe(typeUrl: string, handler: XdsHandler): XdsSubscription {
    let names: ReadonlySet<string> | '*' = new Set();
    let present = new Set<string>();
    const read = (): void => {
      if (names !== '*' && names.size === 0) return;
      const all = this.#read(typeUrl);
      if (all === undefined) return;
      const wanted = names;
      // There must be one, and as it is, it is refused.
      const broken = wanted !== '*' && typeUrl === TypeUrl.extension && all.length !== 1;
      const resources = broken
        ? [...wanted].map((name) => ({ name, version: '', resource: all }))
        : wanted === '*'
          ? all
          : all.filter(({ name }) => wanted.has(name));
      const now = new Set(resources.map(({ name }) => name));
      const update: XdsUpdate = {
        resources,
        removed: wanted === '*' ? [...present].filter((name) => !now.has(name)) : [],
      };
      present = now;
      this.#tell(typeUrl, handler(update));
    };
    this.#subscribers.push(read);
    return {
      follow: (wanted) => {
        names = wanted === '*' ? '*' : new Set(wanted);
        read();
      },
    };
  }

  close(): void {
    this.#watcher?.close();
  }

  #tell(typeUrl: string, nacks: readonly Nack[]): void {
    if (nacks.length > 0) this.#options.onLog('warning', `\`${this.#options.path}\`: ${refusalText(typeUrl, nacks)}`);
  }

  #read(typeUrl: string): readonly XdsResource[] | undefined {
    const { path, onLog } = this.#options;
    try {
      const response = load(readFileSync(path, 'utf8'), { filename: path }) as Readonly<Record<string, unknown>> | null;
      const list = response?.['resources'] ?? [];
      const given = response?.['versionInfo'] ?? response?.['version_info'];
      const version = typeof given === 'string' ? given : '';
      if (!Array.isArray(list)) throw new TypeError('`resources` must be a list');
      return list.map((resource: Readonly<Record<string, unknown>>, index) => {
        if (resource['@type'] !== typeUrl) throw new TypeError(`resources[${index}] is not a \`${typeUrl}\``);
        return { name: nameOf(resource), version, digest: digest(resource), resource };
      });
    } catch (error) {
      onLog('warning', `\`${path}\` cannot be used: ${text(error)}`);
      return undefined;
    }
  }
}

function text(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
