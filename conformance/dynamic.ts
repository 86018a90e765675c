import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { TypeUrl } from '@mizzen/xds';
import type { Admin, Stats } from './admin.ts';
import type { Case } from './case.ts';
import { cluster, endpoint, expandEndpoints, expandTyped, listener } from './configuration.ts';
import { fill } from './placeholders.ts';
import type { Step } from './request.ts';
import { KINDS, type Kind, type XdsServer } from './xds-server.ts';

/** Resources by name as a case writes them; null: there is none. */
type Written = Readonly<Record<string, unknown>>;

/**
 * What a case serves, at its beginning and from step to step:
 *
 * - `listeners` and `clusters`: all there are, in the words of configuration.ts; a cluster without any has the upstream
 *   of its name as endpoint;
 * - `routes`: name to a route configuration, or to the list of its routes; `endpoints`: name to a list of upstreams, or an
 *   assignment; `secrets`: name to an identity, or a secret; `extensions`: name to a filter. Those that are not named stay;
 * - `text`: file to its contents, word by word but for placeholders.
 */
export interface Served {
  readonly listeners?: Written;
  readonly clusters?: Written;
  readonly routes?: Written;
  readonly endpoints?: Written;
  readonly secrets?: Written;
  readonly extensions?: Written;
  readonly text?: Readonly<Record<string, string>>;
}

const SECTIONS = {
  cluster: 'clusters',
  endpoint: 'endpoints',
  listener: 'listeners',
  route: 'routes',
  secret: 'secrets',
  extension: 'extensions',
} as const satisfies Readonly<Record<Kind, keyof Served>>;

const WHOLE: readonly Kind[] = ['cluster', 'listener'];

type Value = (placeholder: string) => string | number;
type Resources = Readonly<Record<string, object | undefined>>;

/** Where proxies get a case's configuration from, if it changes. */
export interface DynamicSource {
  /** As at the beginning. */
  reset(): void;
  /** Puts a step into force, and waits until a proxy has taken it. */
  put(step: Step, admin: Admin): Promise<void>;
}

/** The resources of one kind that a case serves; undefined: it says nothing of them. */
function resourcesOf(kind: Kind, served: Served, one: Case, value: Value): Resources | undefined {
  const written = served[SECTIONS[kind]];
  if (written === undefined) return undefined;
  return Object.fromEntries(
    Object.entries(written).map(([name, raw]) => [
      name,
      raw === null && kind !== 'cluster'
        ? undefined
        : (fill(expandTyped(resource(kind, name, raw, one)), value) as object),
    ]),
  );
}

function resource(kind: Kind, name: string, raw: unknown, one: Case): object {
  switch (kind) {
    case 'cluster':
      return cluster(name, (raw ?? { endpoints: [name] }) as Written);
    case 'listener':
      return listener(name, raw as object, one.configuration);
    case 'route':
      return Array.isArray(raw)
        ? { name, virtualHosts: [{ name: 'all', domains: ['*'], routes: raw }] }
        : { name, ...(raw as object) };
    case 'endpoint':
      return Array.isArray(raw)
        ? { clusterName: name, endpoints: raw.length === 0 ? [] : [{ lbEndpoints: raw.map(endpoint) }] }
        : { clusterName: name, ...(expandEndpoints(raw) as object) };
    case 'extension':
      return { name, ...(raw as object) };
    case 'secret': {
      const own = { certificateChain: { filename: `\${certificate:${raw as string}}` } };
      return typeof raw === 'string'
        ? { name, tlsCertificate: { ...own, privateKey: { filename: `\${key:${raw}}` } } }
        : { name, ...(raw as object) };
    }
  }
}

/** File that holds what is served under a name: `listeners`, `clusters`, `routes/NAME`, … */
export function fileOf(folder: string, name: string): string {
  return join(folder, 'xds', `${name.replace('/', '-')}.json`);
}

/** Time in which a proxy notices that a file was moved and acts on it, milliseconds; on a busy machine, what it has counted tells. */
const NOTICED = 250;
/** How long a file that perhaps nobody reads is waited for. */
const UNNOTICED = 1500;
/** Each of these grows with each file that is read. */
const READ = /\.update_(success|rejected|failure)$|^runtime\.load_(success|error)$/;

/** Watched files, which are replaced by moving others over them. Each route configuration, assignment and secret has one of its own. */
export class WatchedFiles implements DynamicSource {
  readonly #folder: string;
  readonly #case: Case;
  readonly #value: Value;
  #turn = 0;

  constructor(folder: string, one: Case, value: Value) {
    this.#folder = folder;
    this.#case = one;
    this.#value = value;
    mkdirSync(join(folder, 'xds'));
  }

  reset(): void {
    const later = this.#case.requests.flatMap(({ put }) => (put === undefined ? [] : [put]));
    // A proxy wants files to be there from the start.
    for (const served of later) for (const [file] of this.#files(served)) this.#write(file, '{"resources": []}');
    for (const [file, text] of this.#files(this.#case.dynamic!)) this.#write(file, text);
  }

  async put({ put }: Step, admin: Admin): Promise<void> {
    const files = this.#files(put!);
    const before = readings(await admin.stats());
    for (const [file, text] of files) this.#write(file, text);
    await pause(NOTICED);
    await admin.statsUntil((now) => readings(now) >= before + files.size, UNNOTICED);
    await admin.turn();
  }

  #files(served: Served): Map<string, string> {
    const files = new Map<string, string>();
    for (const kind of KINDS) {
      const resources = resourcesOf(kind, served, this.#case, this.#value);
      if (resources === undefined) continue;
      const section = SECTIONS[kind];
      if (WHOLE.includes(kind)) files.set(section, this.#response(kind, Object.values(resources)));
      else
        for (const [name, each] of Object.entries(resources))
          files.set(`${section}/${name}`, this.#response(kind, [each]));
    }
    for (const [name, text] of Object.entries(served.text ?? {})) files.set(name, fill(text, this.#value) as string);
    return files;
  }

  #response(kind: Kind, resources: readonly (object | undefined)[]): string {
    return JSON.stringify({
      versionInfo: String(++this.#turn),
      resources: resources.filter((each) => each !== undefined).map((each) => ({ '@type': TypeUrl[kind], ...each })),
    });
  }

  #write(name: string, text: string): void {
    const path = fileOf(this.#folder, name);
    writeFileSync(`${this.#folder}/moved`, text);
    renameSync(`${this.#folder}/moved`, path);
  }
}

function readings(stats: Stats): number {
  let sum = 0;
  for (const [name, value] of stats) if (READ.test(name)) sum += value;
  return sum;
}

/** After an answer about a change it takes a proxy a turn to act on it, milliseconds. */
const TAKEN = 60;

/** An xDS server. What proxies say of each change is what is observed of it. */
export class ServedByAds implements DynamicSource {
  readonly #server: XdsServer;
  readonly #case: Case;
  readonly #value: Value;

  constructor(server: XdsServer, one: Case, value: Value) {
    this.#server = server;
    this.#case = one;
    this.#value = value;
  }

  reset(): void {
    this.#server.reset();
    for (const kind of KINDS) this.#put(kind, this.#case.dynamic!);
  }

  async put({ put, silent }: Step, admin: Admin): Promise<void> {
    for (const kind of KINDS) {
      const version = this.#put(kind, put!);
      if (version !== undefined && silent !== true) await this.#server.answered(kind, version);
    }
    await pause(TAKEN);
    await admin.turn();
  }

  /** Clusters and listeners that a step does not name are gone. */
  #put(kind: Kind, served: Served): number | undefined {
    const resources = resourcesOf(kind, served, this.#case, this.#value);
    if (resources === undefined) return undefined;
    const gone = WHOLE.includes(kind) ? this.#server.names(kind).filter((name) => !(name in resources)) : [];
    return this.#server.put(kind, { ...Object.fromEntries(gone.map((name) => [name, undefined])), ...resources });
  }
}
