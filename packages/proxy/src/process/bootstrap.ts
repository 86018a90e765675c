import { readFileSync } from 'node:fs';
import { TYPE_PREFIX, TypeUrl, type types } from '@mizzen/xds';
import { compileAccessLogs } from '../telemetry/access-log.ts';
import { compileStats, type StatsProgram } from '../admin/stats-program.ts';
import { compileLoadStats, type LoadStatsProgram } from '../load-report/program.ts';
import type { ClusterManagerSettings } from '../cluster/manager.ts';
import { localityKey } from '../cluster/priorities.ts';
import { compileOwnAddress } from '../program/address.ts';
import { checkApiSource, checkConfigSource } from '../program/config-source.ts';
import { compileBind } from '../program/cluster/bind.ts';
import { compileServers } from '../program/cluster/dns.ts';
import { CompileContext } from '../program/context.ts';
import { compileString, type StringMatch } from '../program/match/string.ts';
import { readJson } from '../program/json.ts';
import { readResource } from '../program/read-resource.ts';
import { respell } from '../program/spelling.ts';
import { readYaml } from '../program/yaml.ts';
import { checkLogFile } from '../program/values.ts';
import type { AccessLogProgram, AddressProgram, CompileDeps } from '../program/types.ts';
import { compileLayers, type RuntimeLayer } from '../runtime/layers.ts';
import { tracerOf } from '../tracing/compile.ts';
import type { Nack } from '../types.ts';
import { STATIC_LISTS, staticResources, type StaticResources } from '../xds/static-resources.ts';
import type { WrittenBootstrap } from './refusals.ts';
import { sameAddresses } from './same-addresses.ts';
import { maxConnections } from './overload.ts';

export const BOOTSTRAP = 'envoy.config.bootstrap.v3.Bootstrap';

/** A bootstrap that cannot be used. */
export class BootstrapError extends Error {
  readonly code = 'BAD_BOOTSTRAP';
}

/** Envoy's JSON of a bootstrap, names in either spelling. */
export type RawBootstrap = Readonly<Record<string, unknown>>;

/** What a proxy takes from its bootstrap. */
export interface BootstrapProgram {
  readonly raw: RawBootstrap;
  readonly node: types.core.Node;
  readonly resources: StaticResources;
  readonly ads: types.core.ApiConfigSource | undefined;
  readonly cds: types.core.ConfigSource | undefined;
  readonly lds: types.core.ConfigSource | undefined;
  /** Of all listeners together; undefined: any number. */
  readonly maxConnections: number | undefined;
  readonly layers: readonly RuntimeLayer[];
  readonly clusterManager: ClusterManagerSettings;
  /** Where load is reported to. */
  readonly loadStats: LoadStatsProgram | 'nobody' | undefined;
  /** Where the admin endpoint listens; undefined: nowhere. */
  readonly admin: AddressProgram | undefined;
  /** Paths that the admin endpoint answers; none: all. */
  readonly adminPaths: readonly StringMatch[];
  readonly adminLogs: readonly AccessLogProgram[];
  /** Which statistics are shown, and what in their names are tags. */
  readonly stats: StatsProgram;
  /** Static clusters that can only be spoken to over HTTP/2: the proxy's own services. */
  readonly http2Clusters: ReadonlySet<string>;
  /** For connection managers that name no provider. */
  readonly tracing: types.traceConfig.Tracing_Http | undefined;
  readonly refused: readonly Nack[];
}

/** The text of a bootstrap file. @throws BootstrapError */
export function readBootstrap(path: string): string {
  if (/\.(pb|pb_text|textproto|pbtxt|prototxt|txtpb)$/.test(path))
    throw new BootstrapError(`\`${path}\`: protobuf's own forms are not read: write the bootstrap as YAML or JSON`);
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new BootstrapError(`\`${path}\` cannot be read: ${message(error)}`, { cause: error });
  }
}

/** A bootstrap as data: YAML, or JSON, which is YAML too. @throws BootstrapError */
export function parseBootstrap(text: string, name: string): RawBootstrap {
  let value: unknown;
  try {
    value = name.endsWith('.json') ? readJson(text) : readYaml(text, name);
  } catch (error) {
    throw new BootstrapError(`\`${name}\` cannot be parsed: ${message(error)}`, { cause: error });
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new BootstrapError(
      `\`${name}\` is not a bootstrap: it must be an object with fields such as \`static_resources\``,
    );
  return respell(BOOTSTRAP, value as RawBootstrap);
}

/** Bootstraps, each laid over those before it, as protobuf merges messages: lists grow, single values are replaced. */
export async function mergeBootstraps(written: readonly WrittenBootstrap[]): Promise<RawBootstrap> {
  const { decode, encode, XdsCodecError } = await import('@mizzen/xds/binary/index.ts');
  const parts: Uint8Array[] = [];
  for (const each of written) {
    try {
      parts.push(encode(BOOTSTRAP, each.raw));
    } catch (error) {
      if (!(error instanceof XdsCodecError)) throw error;
      const { describeRefusals } = await import('./refusals.ts');
      const refused =
        readResource(BOOTSTRAP, each.raw).nacks.find(({ field }) => field === error.path) ??
        ({ typeUrl: BOOTSTRAP, resource: '', field: error.path, message: error.problem } satisfies Nack);
      throw new BootstrapError(describeRefusals([{ ...refused, resource: each.name }], each).trimEnd(), {
        cause: error,
      });
    }
  }
  return decode(BOOTSTRAP, Buffer.concat(parts));
}

/** What command lines say over what the file says. */
export interface CommandLineFlags {
  readonly node: {
    readonly id?: string | undefined;
    readonly cluster?: string | undefined;
    readonly zone?: string | undefined;
  };
  /** Tags of all statistics: name and value. */
  readonly statsTags: readonly (readonly [string, string])[];
}

/** Reads a bootstrap; `name` is what it is called in refusals. */
export function compileBootstrap(
  raw: RawBootstrap,
  name: string,
  flags: CommandLineFlags,
  deps: CompileDeps,
): BootstrapProgram {
  const { staticResources: camel, static_resources: snake, ...rest } = raw;
  const read = readResource(BOOTSTRAP, rest);
  const bootstrap = read.resource as types.bootstrap.Bootstrap;
  const context = new CompileContext('', name, deps);
  const own = readResource(`${BOOTSTRAP}.StaticResources`, onlyNames(camel ?? snake));
  const dynamic = bootstrap.dynamicResources;
  if (dynamic?.adsConfig !== undefined) checkApiSource(context, dynamic.adsConfig, ['dynamicResources', 'adsConfig']);
  for (const key of ['cdsConfig', 'ldsConfig'] as const) {
    const source = dynamic?.[key];
    checkConfigSource(context, source, ['dynamicResources', key]);
    if (source?.ads !== undefined && dynamic?.adsConfig === undefined)
      context.refuse(['dynamicResources', key], 'comes from ADS, and there is no `adsConfig`');
  }
  const node = nodeOf(bootstrap.node ?? {}, flags.node);
  const remote = (bootstrap.layeredRuntime?.layers ?? []).some(({ rtdsLayer }) => rtdsLayer !== undefined);
  const asks = dynamic !== undefined && Object.keys(dynamic).length > 0;
  if ((asks || remote) && ((node.id ?? '') === '' || (node.cluster ?? '') === ''))
    context.refuse(
      ['node'],
      '`id` and `cluster` are required: say them here, or with --service-node and --service-cluster',
    );
  const messages = JSON.stringify(bootstrap.applicationLogConfig?.logFormat?.jsonFormat ?? '');
  if (/%[v_]/.test(messages))
    context.refuse(['applicationLogConfig', 'logFormat', 'jsonFormat'], 'must not have `%v` or `%_`: `%j` is for JSON');
  const resources = staticResources(raw, () => deps.random.uuid());
  const clusters = new Set((resources[TypeUrl.cluster] ?? []).map((cluster) => cluster.name));
  checkServers(context, dynamic, clusters);
  const stats = compileStats(bootstrap, name, deps, flags.statsTags, node, clusters);
  const { admin } = bootstrap;
  const adminAt =
    admin?.address === undefined ? undefined : compileOwnAddress(context, admin.address, ['admin', 'address']);
  const adminPaths = (admin?.allowPaths ?? []).map((matcher, i) =>
    compileString(context, matcher, ['admin', 'allowPaths', i]),
  );
  return {
    raw,
    node,
    resources,
    ads: dynamic?.adsConfig,
    cds: dynamic?.cdsConfig,
    lds: dynamic?.ldsConfig,
    clusterManager: clusterManager(context, bootstrap, node, clusters),
    loadStats: compileLoadStats(
      context,
      bootstrap.clusterManager?.loadStatsConfig,
      ['clusterManager', 'loadStatsConfig'],
      clusters,
    ),
    maxConnections: maxConnections(context, bootstrap.overloadManager),
    layers: compileLayers(context, bootstrap.layeredRuntime, node.cluster ?? ''),
    admin: adminAt,
    adminPaths,
    adminLogs: compileAdminLogs(context, admin),
    stats: stats.program,
    tracing: checkedTracing(context, bootstrap),
    http2Clusters: http2Clusters(resources),
    refused: [
      ...read.nacks.map((nack) => ({ ...nack, resource: name })),
      ...own.nacks.map((nack) => ({ ...nack, resource: name, field: `staticResources.${nack.field}` })),
      ...context.nacks,
      ...stats.nacks,
      ...twice(resources, name),
      ...sameAddresses(resources),
    ],
  };
}

function checkedTracing(
  context: CompileContext,
  { tracing }: types.bootstrap.Bootstrap,
): types.traceConfig.Tracing_Http | undefined {
  tracerOf(context, tracing?.http, ['tracing', 'http', 'typedConfig']);
  return tracing?.http;
}

function clusterManager(
  context: CompileContext,
  bootstrap: types.bootstrap.Bootstrap,
  node: types.core.Node,
  clusters: ReadonlySet<string>,
): ClusterManagerSettings {
  const { clusterManager: given } = bootstrap;
  const { region = '', zone = '', subZone = '' } = node.locality ?? {};
  const outlierLog = given?.outlierDetection?.eventLogPath;
  checkLogFile(context, outlierLog, ['clusterManager', 'outlierDetection', 'eventLogPath']);
  const local = given?.localClusterName ?? '';
  if (local !== '' && !clusters.has(local))
    context.refuse(['clusterManager', 'localClusterName'], `there is no static cluster \`${local}\``);
  return {
    outlierLog: outlierLog || undefined,
    localCluster: local || undefined,
    locality: localityKey({ region, zone, subZone }),
    zone,
    dnsServers: compileServers(context, bootstrap as Parameters<typeof compileServers>[1], []),
    sources: compileBind(context, given?.upstreamBindConfig, ['clusterManager', 'upstreamBindConfig']),
  };
}

/** Servers of the first resources are reached through clusters that are there from the start. */
function checkServers(
  context: CompileContext,
  dynamic: types.bootstrap.Bootstrap_DynamicResources | undefined,
  clusters: ReadonlySet<string>,
): void {
  const sources = {
    adsConfig: dynamic?.adsConfig,
    cdsConfig: dynamic?.cdsConfig?.apiConfigSource,
    ldsConfig: dynamic?.ldsConfig?.apiConfigSource,
  };
  for (const [key, source] of Object.entries(sources)) {
    const name = source?.grpcServices?.[0]?.envoyGrpc?.clusterName;
    if (name === undefined || name === '' || clusters.has(name)) continue;
    const at = key === 'adsConfig' ? [key] : [key, 'apiConfigSource'];
    context.refuse(
      ['dynamicResources', ...at, 'grpcServices', 0, 'envoyGrpc', 'clusterName'],
      `there is no static cluster \`${name}\``,
    );
  }
}

function nodeOf(node: types.core.Node, { id, cluster, zone }: CommandLineFlags['node']): types.core.Node {
  return {
    ...node,
    ...(id === undefined ? {} : { id }),
    ...(cluster === undefined ? {} : { cluster }),
    ...(zone === undefined ? {} : { locality: { ...node.locality, zone } }),
  };
}

/** The fields of `static_resources`, without what is in them: that is read resource by resource. */
function onlyNames(resources: unknown): Readonly<Record<string, unknown>> {
  if (typeof resources !== 'object' || resources === null) return {};
  return Object.fromEntries(Object.keys(resources).map((key) => [key, []]));
}

const EXPLICIT = 'envoy.extensions.upstreams.http.v3.HttpProtocolOptions';

function http2Clusters(resources: StaticResources): ReadonlySet<string> {
  const names = new Set<string>();
  for (const { name, resource } of Object.values(resources).flat()) {
    const options = child(
      child(resource, 'typedExtensionProtocolOptions', 'typed_extension_protocol_options'),
      EXPLICIT,
    );
    const explicit = child(options, 'explicitHttpConfig', 'explicit_http_config');
    const holder = options === undefined && !followsClients(resource) ? resource : explicit;
    if (child(holder, 'http2ProtocolOptions', 'http2_protocol_options') !== undefined) names.add(name);
  }
  return names;
}

function followsClients(cluster: unknown): boolean {
  const selection = String(child(cluster, 'protocolSelection', 'protocol_selection')).toUpperCase();
  return selection === 'USE_DOWNSTREAM_PROTOCOL' || selection === '1';
}

function twice(resources: StaticResources, name: string): Nack[] {
  return Object.entries(resources).flatMap(([typeUrl, list]) => {
    const seen = new Set<string>();
    return list.flatMap((resource, i) => {
      if (!seen.has(resource.name)) {
        seen.add(resource.name);
        return [];
      }
      const field = `staticResources.${STATIC_LISTS[typeUrl]}[${i}].name`;
      return [{ typeUrl, resource: name, field, message: `\`${resource.name}\` is there twice` }];
    });
  });
}

function child(value: unknown, ...names: readonly string[]): unknown {
  if (typeof value !== 'object' || value === null) return undefined;
  const name = names.find((each) => each in value);
  return name === undefined ? undefined : (value as Readonly<Record<string, unknown>>)[name];
}

function message(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  // Node says after a comma what was called.
  return text.replace(/, \w+ '.*'$/, '');
}

/** Logs of the admin endpoint; the older field names a file for lines in the usual format. */
function compileAdminLogs(
  context: CompileContext,
  admin: types.bootstrap.Admin | undefined,
): readonly AccessLogProgram[] {
  const logs = compileAccessLogs(context, admin?.accessLog, ['admin', 'accessLog']);
  if (admin?.accessLogPath === undefined || admin.accessLogPath === '') return logs;
  const typedConfig = {
    '@type': `${TYPE_PREFIX}envoy.extensions.access_loggers.file.v3.FileAccessLog`,
    path: admin.accessLogPath,
  };
  return [...logs, ...compileAccessLogs(context, [{ typedConfig }], ['admin', 'accessLogPath'])];
}
