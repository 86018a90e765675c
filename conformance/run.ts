import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Case } from './case.ts';
import { compareLogs, compareRequest, compareStats, unexpected, type Difference } from './compare.ts';
import { bootstrapOf } from './configuration.ts';
import { fileOf, ServedByAds, WatchedFiles } from './dynamic.ts';
import type { Engine } from './engines.ts';
import { authority, identity } from './identities.ts';
import { observeMesh, type MeshSpec } from './mesh.ts';
import { observe, type Observed, type Setting } from './observe.ts';
import { fill } from './placeholders.ts';
import { takePort } from './ports.ts';
import type { Request } from './request.ts';
import { tokenOf } from './tokens.ts';
import { Upstreams } from './upstream.ts';
import { XdsServer } from './xds-server.ts';

/** `alike`; `named` by an entry of differences.md; `pending`: known to differ, to be mended; `failed` otherwise. */
export interface Verdict {
  readonly title: string;
  readonly result: 'alike' | 'named' | 'pending' | 'failed';
  /** The name, or what is pending. */
  readonly named?: string;
  readonly differences: readonly Difference[];
  /** Alike, though the case says that it is to be mended. */
  readonly mended?: boolean;
}

export interface Result {
  readonly one: Case;
  /** One for each request that is observed, and one for the stats. */
  readonly verdicts: readonly Verdict[];
  readonly observed: Readonly<Partial<Record<Engine, Observed>>>;
}

/** Runs a case on the engines named, one after the other with the very same file, and compares when there are two. */
export async function run(written: Case, engines: readonly Engine[]): Promise<Result> {
  const ports = new Map<string, number>();
  for (const name of portNames(written)) ports.set(name, await takePort());
  const adminPort = await takePort();
  const folder = mkdtempSync(join(tmpdir(), 'mizzen-conformance-'));
  const value = (placeholder: string): string | number => placeholderValue(placeholder, ports, folder);
  const one = {
    ...written,
    // A title is read, and so keeps its placeholders.
    requests: written.requests.map((each) => ({ ...(fill(each, value) as Request), title: each.title })),
    stats: fill(written.stats, value) as string[],
    ...(written.mesh === undefined ? {} : { mesh: fill(written.mesh, value) as MeshSpec }),
  };
  const server = written.source === 'ads' ? new XdsServer() : undefined;
  const source =
    written.dynamic === undefined
      ? undefined
      : server === undefined
        ? new WatchedFiles(folder, one, value)
        : new ServedByAds(server, one, value);
  const setting: Setting = {
    file: join(folder, 'bootstrap.json'),
    adminPort,
    ports,
    ...(source === undefined ? {} : { source }),
  };
  writeFileSync(setting.file, JSON.stringify(fill(bootstrapOf(written, adminPort), value), undefined, 1));
  const upstreams = new Upstreams();
  const observed: Partial<Record<Engine, Observed>> = {};
  try {
    await upstreams.listen(one.upstreams, ports);
    await server?.listen(ports.get('xds')!);
    let before: Observed | undefined;
    for (const engine of engines) {
      before = await (one.mesh === undefined ? observe : observeMesh)(engine, one, setting, upstreams, before);
      observed[engine] = before;
    }
  } catch (error) {
    const what = { what: 'run', envoy: '', mizzen: error instanceof Error ? error.message : String(error) };
    return { one, observed, verdicts: [{ title: 'the case runs', result: 'failed', differences: [what] }] };
  } finally {
    await upstreams.close();
    await server?.close();
    rmSync(folder, { recursive: true, force: true });
  }
  return { one, observed, verdicts: judge(one, observed) };
}

/** Everything of a case that listens. */
function portNames({ upstreams, configuration, dynamic, ports, requests, source }: Case): Set<string> {
  const later = requests.flatMap(({ put }) => Object.keys(put?.listeners ?? {}));
  return new Set([
    ...Object.keys(upstreams),
    ...Object.keys(configuration.listeners ?? { in: {} }),
    ...Object.keys(dynamic?.listeners ?? {}),
    ...later,
    ...ports,
    ...(source === 'ads' ? ['xds'] : []),
  ]);
}

function judge(one: Case, observed: Result['observed']): Verdict[] {
  const { envoy, mizzen } = observed;
  const verdicts: Verdict[] = [];
  for (const [i, request] of one.requests.entries()) {
    const [theirs, ours] = [envoy?.requests[i], mizzen?.requests[i]];
    if (theirs === undefined && ours === undefined) continue;
    const differences =
      theirs !== undefined && ours !== undefined
        ? compareRequest(request, theirs, ours)
        : alone(unexpected(request, (theirs ?? ours)!));
    const kept: Pick<Request, 'differs' | 'pending'> = theirs === undefined || ours === undefined ? {} : request;
    verdicts.push(verdict(request.title, differences, kept.differs, kept.pending));
  }
  if (envoy === undefined || mizzen === undefined) return verdicts;
  if (one.mesh !== undefined)
    verdicts.push(verdict('access logs', compareLogs(one, envoy, mizzen), one.statsDiffer, one.statsPending));
  else verdicts.push(verdict('stats', compareStats(one, envoy.stats, mizzen.stats), one.statsDiffer, one.statsPending));
  return verdicts;
}

function alone(complaint: string | undefined): Difference[] {
  return complaint === undefined ? [] : [{ what: 'expectation', envoy: complaint, mizzen: complaint }];
}

function verdict(
  title: string,
  differences: readonly Difference[],
  differs: string | undefined,
  pending: string | undefined,
): Verdict {
  const same = differences.length === 0;
  if (pending !== undefined && !same) return { title, result: 'pending', named: pending, differences };
  const mended = pending !== undefined;
  if (differs === undefined) return { title, result: same ? 'alike' : 'failed', differences, mended };
  if (!same) return { title, result: 'named', named: differs, differences };
  const what = { what: `differs: ${differs}`, envoy: 'does not differ (any more)', mizzen: '' };
  return { title, result: 'failed', differences: [what] };
}

/** `port:NAME`, `file:NAME` (what `dynamic` serves), `certificate:WHO`, `key:WHO`, `root:AUTHORITY`, `jwks`, `token:NAME`, `repeat:N:TEXT`. */
function placeholderValue(placeholder: string, ports: ReadonlyMap<string, number>, folder: string): string | number {
  const [kind, name = '', ...rest] = placeholder.split(':');
  switch (kind) {
    case 'port': {
      const port = ports.get(name);
      if (port === undefined) throw new Error(`there is no listener or upstream \`${name}\``);
      return port;
    }
    case 'file':
      return fileOf(folder, name);
    case 'certificate':
      return identity(name).certificateFile;
    case 'key':
      return identity(name).keyFile;
    case 'root':
      return authority(name).rootFile;
    case 'token':
    case 'jwks':
      return tokenOf(placeholder);
    case 'repeat':
      return rest.join(':').repeat(Number(name));
    default:
      throw new Error(`\`\${${placeholder}}\` is not known`);
  }
}
