import { existsSync, readFileSync, watch, type FSWatcher } from 'node:fs';
import { basename, dirname } from 'node:path';
import { TypeUrl } from '@mizzen/xds';
import type { Nack } from '../../types.ts';
import { readJson } from '../../program/json.ts';
import { nameOf } from '../../program/read-resource.ts';
import { respell } from '../../program/spelling.ts';
import { readYaml } from '../../program/yaml.ts';
import {
  namesOf,
  type XdsHandler,
  type XdsResource,
  type XdsSource,
  type XdsSubscription,
  type XdsUpdate,
} from '../source.ts';
import { refusalText } from './refusal-text.ts';
import { digest } from './world.ts';

export interface FileSourceOptions {
  readonly path: string;
  /** Where moves are looked for instead of at the file itself. */
  readonly watchedDirectory: string | undefined;
  readonly onLog: (level: 'info' | 'warning', message: string) => void;
}

/** Types of which a file may hold nothing. */
const MAY_BE_EMPTY: ReadonlySet<string> = new Set([TypeUrl.endpoint, TypeUrl.route]);

const RESPONSE = 'envoy.service.discovery.v3.DiscoveryResponse';

interface FileContents {
  readonly resources: readonly XdsResource[];
  readonly version: string;
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
    const { path, watchedDirectory, onLog } = options;
    const name = basename(path);
    try {
      this.#watcher = watch(watchedDirectory ?? dirname(path), { persistent: false }, (event, file) => {
        if (event !== 'rename' || (watchedDirectory === undefined && file !== name) || !existsSync(path)) return;
        for (const read of this.#subscribers) read();
      });
      this.#watcher.on('error', (error) =>
        onLog('warning', `\`${watchedDirectory ?? path}\` is watched no longer: ${text(error)}`),
      );
    } catch (error) {
      onLog('warning', `\`${watchedDirectory ?? path}\` cannot be watched: ${text(error)}`);
    }
  }

  subscribe(typeUrl: string, handler: XdsHandler): XdsSubscription {
    let names: ReadonlySet<string> | '*' = new Set();
    let present = new Set<string>();
    const read = (): void => {
      if (names !== '*' && names.size === 0) return;
      const file = this.#read(typeUrl);
      if (typeof file === 'string') {
        handler({ resources: [], removed: [], without: new Map(namesOf(names).map((name) => [name, file])) });
        return;
      }
      if (names !== '*') return this.#tell(typeUrl, handler(this.#named(typeUrl, names, file)));
      const now = new Set(file.resources.map(({ name }) => name));
      const removed = [...present].filter((name) => !now.has(name));
      present = now;
      this.#tell(typeUrl, handler({ ...file, removed, fromText: true }));
    };
    this.#subscribers.push(read);
    return {
      follow: (wanted) => {
        const same = wanted !== '*' && names !== '*' && wanted.symmetricDifference(names).size === 0;
        names = wanted === '*' ? '*' : new Set(wanted);
        if (!same) read();
      },
    };
  }

  close(): void {
    this.#watcher?.close();
  }

  /** A file is for one resource: what has another name, or more than one, is for nobody. */
  #named(typeUrl: string, names: ReadonlySet<string>, { resources, version }: FileContents): XdsUpdate {
    const [only] = resources;
    const without = new Map<string, 'empty' | 'refused'>();
    for (const name of names) {
      if (only === undefined && MAY_BE_EMPTY.has(typeUrl)) without.set(name, 'empty');
      else if (resources.length !== 1 || only!.name !== name) without.set(name, 'refused');
    }
    const { path, onLog } = this.#options;
    for (const [name, why] of without)
      if (why === 'refused') onLog('warning', `\`${path}\` is to hold \`${name}\`, and nothing else`);
    const mine = resources.filter(({ name }) => names.has(name) && !without.has(name));
    return { resources: mine, removed: [], version, without, fromText: true };
  }

  #tell(typeUrl: string, nacks: readonly Nack[]): void {
    if (nacks.length > 0) this.#options.onLog('warning', `\`${this.#options.path}\`: ${refusalText(typeUrl, nacks)}`);
  }

  /** What is in the file; otherwise why it cannot be used: nothing can be read from it, or not that. */
  #read(typeUrl: string): FileContents | 'failed' | 'refused' {
    const { path, onLog } = this.#options;
    let why: 'failed' | 'refused' = 'failed';
    try {
      const content = readFileSync(path, 'utf8');
      const read: unknown = path.endsWith('.json') ? readJson(content) : readYaml(content, path);
      const written = read as Readonly<Record<string, unknown>> | null;
      const response = written === null ? null : respell(RESPONSE, written);
      const list = response?.['resources'] ?? [];
      const given = response?.['versionInfo'] ?? response?.['version_info'];
      const version = typeof given === 'string' ? given : '';
      if (!Array.isArray(list)) throw new TypeError('`resources` must be a list');
      why = 'refused';
      const resources = list.map((resource: Readonly<Record<string, unknown>>, index) => {
        if (resource['@type'] !== typeUrl) throw new TypeError(`resources[${index}] is not a \`${typeUrl}\``);
        return { name: nameOf(resource), version, digest: digest(resource), resource };
      });
      return { resources, version };
    } catch (error) {
      onLog('warning', `\`${path}\` cannot be used: ${text(error)}`);
      return why;
    }
  }
}

function text(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
