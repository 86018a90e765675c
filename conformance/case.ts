import { globSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { load } from 'js-yaml';
import type { Served } from './dynamic.ts';
import type { GrpcKind, Replies } from './grpc-upstream.ts';
import type { MeshSpec } from './mesh.ts';
import { parseRequest, type Request } from './request.ts';

export const CASES_FOLDER = join(import.meta.dirname, 'cases');

/** What an upstream does. */
export interface UpstreamSpec {
  /**
   * `http` by default; `echo` sends back what it gets, and ends after `goodbye`; nobody listens at `closed`; `authorizer`
   * and `rate-limiter` are services of gRPC.
   */
  readonly kind: 'http' | 'echo' | 'closed' | GrpcKind;
  /** What a service of gRPC answers, by name (grpc-upstream.ts). */
  readonly replies: Replies;
  /** What it does with its requests one after the other (answer.ts); the last for ever. */
  readonly answers: readonly string[];
  /** Fields of its answers. */
  readonly headers: Readonly<Record<string, string>>;
  /** Serves TLS as this identity (identities.ts), and asks for a certificate. */
  readonly tls?: string;
}

/** A configuration, what is asked of it and what is observed: one YAML file of `cases/<area>/`. */
export interface Case {
  /** `area/name`. */
  readonly name: string;
  readonly area: string;
  readonly about: string;
  readonly upstreams: Readonly<Record<string, UpstreamSpec>>;
  /** The configuration in the words of configuration.ts. */
  readonly configuration: Configuration;
  /** Run by `mizzen up` instead, on either engine (mesh.ts). */
  readonly mesh?: MeshSpec;
  /** What is served to the proxy and may change; `put` of a request changes it. */
  readonly dynamic?: Served;
  /** How `dynamic` reaches the proxy: watched files, or an xDS server. */
  readonly source: 'files' | 'ads';
  /** Names of ports besides those of listeners and upstreams. */
  readonly ports: readonly string[];
  /** More of the command line, for both. */
  readonly flags: readonly string[];
  readonly requests: readonly Request[];
  /** Independent requests may run this many at a time. */
  readonly parallel: number;
  /** Regular expressions: names of Envoy's stats, and of its hosts (`hosts.CLUSTER.ADDRESS.NAME`), that must be there and equal, besides those that always are compared. */
  readonly stats: readonly string[];
  /** Entry of differences.md that explains why the stats differ. */
  readonly statsDiffer?: string;
  /** What is to be mended before the stats are alike. */
  readonly statsPending?: string;
}

export interface Configuration {
  readonly hcm?: object;
  readonly filters?: readonly object[];
  readonly router?: object;
  readonly routes?: readonly object[];
  readonly virtualHosts?: readonly object[];
  readonly routeConfig?: object;
  readonly listeners?: Readonly<Record<string, object>>;
  readonly clusters?: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  /** Format of the access log, after the client's address. */
  readonly log?: string;
  /** Other fields of the bootstrap. */
  readonly bootstrap?: object;
}

const CONFIGURATION = [
  'hcm',
  'filters',
  'router',
  'routes',
  'virtualHosts',
  'routeConfig',
  'listeners',
  'clusters',
  'log',
  'bootstrap',
] as const;
const KNOWN = new Set<string>([
  'about',
  'upstreams',
  'requests',
  'services',
  'resources',
  'dynamic',
  'source',
  'ports',
  'flags',
  'parallel',
  'stats',
  'statsDiffer',
  'statsPending',
  ...CONFIGURATION,
]);

/** Every case, by name; those whose name contains `pattern` when there is one. Throws on a file that is not a case. */
export function readCases(pattern = '', folder = CASES_FOLDER): Case[] {
  return globSync('*/*.yaml', { cwd: folder })
    .toSorted()
    .map((file) => file.replaceAll('\\', '/'))
    .filter((file) => file.replace(/\.yaml$/, '').includes(pattern))
    .map((file) => {
      try {
        return parseCase(file, load(readFileSync(join(folder, file), 'utf8')));
      } catch (error) {
        throw new Error(`${join(folder, file)}: ${(error as Error).message}`, { cause: error });
      }
    });
}

function parseCase(file: string, value: unknown): Case {
  const raw = value as Readonly<Record<string, unknown>>;
  for (const key of Object.keys(raw)) if (!KNOWN.has(key)) throw new Error(`\`${key}\` is not a field of a case`);
  if (typeof raw['about'] !== 'string') throw new Error('`about` is missing');
  if (!Array.isArray(raw['requests']) || raw['requests'].length === 0) throw new Error('`requests` is missing');
  return {
    name: file.replace(/\.yaml$/, ''),
    area: basename(dirname(file)),
    about: raw['about'],
    upstreams: upstreams(
      (raw['upstreams'] ?? (raw['resources'] === undefined ? { one: {} } : {})) as Record<
        string,
        Partial<UpstreamSpec> | null
      >,
    ),
    configuration: Object.fromEntries(CONFIGURATION.map((key) => [key, raw[key]])) as Configuration,
    ...(raw['resources'] === undefined
      ? {}
      : {
          mesh: {
            services: (raw['services'] ?? {}) as MeshSpec['services'],
            resources: raw['resources'] as string,
          },
        }),
    dynamic: raw['dynamic'] as Served | undefined,
    source: oneOf('source', raw['source'] ?? 'files', ['files', 'ads']),
    flags: (raw['flags'] as string[] | undefined) ?? [],
    ports: (raw['ports'] as string[] | undefined) ?? [],
    requests: raw['requests'].map(parseRequest),
    parallel: (raw['parallel'] as number | undefined) ?? 1,
    stats: (raw['stats'] as string[] | undefined) ?? [],
    statsDiffer: raw['statsDiffer'] as string | undefined,
    statsPending: raw['statsPending'] as string | undefined,
  };
}

function oneOf<T extends string>(field: string, value: unknown, known: readonly T[]): T {
  const found = known.find((each) => each === value);
  if (found === undefined) throw new Error(`\`${field}\` is one of ${known.join(', ')}`);
  return found;
}

const KINDS = ['http', 'echo', 'closed', 'authorizer', 'rate-limiter'] as const satisfies UpstreamSpec['kind'][];
const UPSTREAM = new Set(['kind', 'replies', 'answers', 'headers', 'tls']);

function upstreams(raw: Readonly<Record<string, Partial<UpstreamSpec> | null>>): Record<string, UpstreamSpec> {
  return Object.fromEntries(
    Object.entries(raw).map(([name, spec]) => {
      for (const key of Object.keys(spec ?? {}))
        if (!UPSTREAM.has(key)) throw new Error(`\`${key}\` is not a field of an upstream`);
      const answers = (spec?.answers ?? ['200']).map(String);
      return [
        name,
        {
          kind: oneOf('kind', spec?.kind ?? 'http', KINDS),
          headers: spec?.headers ?? {},
          answers,
          tls: spec?.tls,
          replies: spec?.replies ?? {},
        },
      ];
    }),
  );
}
