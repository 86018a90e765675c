import { writeFileSync } from 'node:fs';
import { MessageChannel } from 'node:worker_threads';
import { TypeUrl, type JsonObject } from '@mizzen/xds';
import type { AdminContext } from '../admin/context.ts';
import type { Deps } from '../deps.ts';
import type { Nack } from '../types.ts';
import { settle } from '../http/turn.ts';
import { LiveRuntime } from '../runtime/open.ts';
import { BootstrapSource } from '../xds/bootstrap-source.ts';
import type { XdsSource } from '../xds/source.ts';
import type { BootstrapProgram } from './bootstrap.ts';
import { LogFiles, whyNotAppendable } from './log-files.ts';
import type { Logger } from './logger.ts';
import { ProxyNode } from './proxy-node.ts';
import type { StandaloneOptions } from './start-standalone.ts';

export interface ServeOptions {
  readonly bootstrap: BootstrapProgram;
  readonly options: StandaloneOptions;
  readonly deps: Deps;
  readonly logger: Logger;
  /** Says what was refused; returns the exit status. */
  readonly refuse: (nacks: readonly Nack[]) => Promise<number>;
  /** Whether the listeners of the bootstrap can be used, before their turn comes; what is refused. */
  readonly checkListeners: () => Promise<readonly Nack[]>;
}

/** Requests may finish for this long once the proxy is told to end, milliseconds. */
const SHUTDOWN_TIME = 1000;

/** Runs a proxy until it is told to end. */
export async function serve({
  bootstrap,
  options,
  deps,
  logger,
  refuse,
  checkListeners,
}: ServeOptions): Promise<number> {
  const refused: Nack[] = [];
  let running = false;
  const logs = new LogFiles(deps.clock, (message) => logger.log('main', 'error', message));
  const started = deps.clock.wall();
  const nodeJson = described(bootstrap);
  const controlPlane = { connected_state: 0, pending_requests: 0, identifier: '' };
  const runtime = new LiveRuntime({
    layers: bootstrap.layers,
    onLog: (level, message) => logger.log('config', level, message),
  });
  const { promise: ended, resolve: end } = Promise.withResolvers<number>();
  let starting = true;
  const remote = namesSources(bootstrap.raw) ? await import('../xds/remote/open.ts') : undefined;
  // Whoever waits for it may ask the admin endpoint at once.
  let listening = false;
  let administered = false;
  const announce = (): void => {
    if (!listening || !administered) return;
    logger.log('main', 'info', 'all listeners are ready');
    if (options.announce) process.stdout.write('ready\n');
  };
  const node = new ProxyNode({
    id: bootstrap.node.id ?? '',
    node: nodeJson,
    serviceCluster: bootstrap.node.cluster ?? '',
    metadata: bootstrap.node.metadata,
    zone: bootstrap.node.locality?.zone ?? '',
    tracing: bootstrap.tracing,
    maxConnections: bootstrap.maxConnections,
    deps,
    source: (clusters): XdsSource => {
      const opener =
        remote &&
        new remote.SourceOpener({
          deps,
          ads: bootstrap.ads,
          node: { ...nodeJson, clientFeatures: CLIENT_FEATURES },
          cluster: (name) => clusters.get(name),
          stats: controlPlane,
          onLog: (level, message) => logger.log('config', level, message),
        });
      return new BootstrapSource({
        clock: deps.clock,
        resources: bootstrap.resources,
        cds: bootstrap.cds,
        lds: bootstrap.lds,
        open: (typeUrl, source) => opener!.open(typeUrl, source),
        onRefused: (nack) => {
          if (!running) refused.push(nack);
          else logger.log('config', 'error', `\`${nack.resource}\`: ${nack.field}: ${nack.message}`);
        },
      });
    },
    runtime,
    http2Clusters: bootstrap.http2Clusters,
    clusterManager: bootstrap.clusterManager,
    fetchTimeout: 0,
    accessLog: (file) => logs.sink(file),
    cannotAppend: whyNotAppendable,
    drain: options.drain,
    onReady: () => {
      // Refusals of the same turn are told after it.
      queueMicrotask(() => {
        listening = refused.length === 0;
        announce();
        starting = false;
      });
    },
    onBindFailure: (listener, { address, port, message }) => {
      // As with everything else that is wrong with what it starts from; what was sent to it may be mended while it runs.
      const fatal = starting && bootstrap.resources[TypeUrl.listener]?.some(({ name }) => name === listener) === true;
      logger.log('main', fatal ? 'critical' : 'error', `listener \`${listener}\`: ${address}:${port}: ${message}`);
      if (fatal) end(1);
    },
  });
  node.start();
  // Where clusters have to be waited for, as names are resolved or hosts checked, listeners come later: too late to end.
  if (refused.length === 0 && !node.listenersAsked) {
    const unusable = await checkListeners();
    if (refused.length === 0) refused.push(...unusable);
  }
  if (refused.length > 0) {
    const status = await refuse(refused);
    await node.stop(0);
    logs.close();
    return status;
  }
  running = true;
  // A proxy with nothing to listen on waits all the same.
  const { port1: alive } = new MessageChannel();
  alive.on('message', () => undefined);
  process.once('SIGTERM', () => end(0));
  process.once('SIGINT', () => end(0));
  // What fails for one request, which then has no answer, is not the end of all others.
  process.on('uncaughtException', (error) =>
    logger.log('main', 'critical', `a failure of this proxy itself: ${error.stack ?? error.message}`),
  );
  process.on('SIGUSR1', () => logs.reopen());
  process.on('SIGHUP', () => logger.log('main', 'warning', 'SIGHUP is of no effect'));
  const context: AdminContext = {
    node,
    bootstrap,
    nodeJson,
    commandLine: options.commandLine,
    deps,
    logger,
    controlPlane,
    started,
    quit: () => end(0),
    reopenLogs: () => logs.reopen(),
    accessLog: (file) => logs.sink(file),
  };
  const loadReports = await reportLoad(context);
  let admin: Awaited<ReturnType<typeof startAdmin>>;
  try {
    admin = await startAdmin(context, options.adminAddressPath);
  } catch (error) {
    logger.log('admin', 'critical', `cannot listen: ${(error as Error).message}`);
    loadReports?.close();
    alive.close();
    await node.stop(0);
    logs.close();
    return 1;
  }
  administered = true;
  announce();
  const status = await ended;
  logger.log('main', 'info', 'ending');
  // Sinks that do not take what is left are not waited for.
  if (admin !== undefined)
    await Promise.race([admin.close(), new Promise<void>((late) => deps.clock.after(SHUTDOWN_TIME, late))]);
  loadReports?.close();
  alive.close();
  await node.stop(SHUTDOWN_TIME);
  settle();
  logs.close();
  return status;
}

/** gRPC and the binary form of the API are loaded for it alone. */
async function reportLoad({
  bootstrap,
  node,
  nodeJson,
  deps,
  logger,
}: AdminContext): Promise<{ close(): void } | undefined> {
  const { loadStats } = bootstrap;
  if (loadStats === undefined) return undefined;
  if (loadStats === 'nobody') {
    logger.log('main', 'warning', 'load is not reported: `clusterManager.loadStatsConfig` names no gRPC service');
    return undefined;
  }
  const { LoadReporter } = await import('../load-report/reporter.ts');
  return new LoadReporter({
    program: loadStats,
    deps,
    clusters: node.clusters,
    counter: (name) => node.counters.get(name),
    node: nodeJson,
    ownLocality: bootstrap.clusterManager.locality ?? '',
    onLog: (level, message) => logger.log('upstream', level, message),
  });
}

/**
 * Loaded when statistics are asked for or sent: most proxies of a mesh do neither. Rejects where the endpoint cannot
 * listen: nobody could tell such a proxy anything.
 */
async function startAdmin(
  context: AdminContext,
  adminAddressPath: string | undefined,
): Promise<{ close(): Promise<void> } | undefined> {
  const { admin, stats } = context.bootstrap;
  const served = admin !== undefined && admin.kind !== 'internal' ? admin : undefined;
  if (served === undefined && stats.sinks.length === 0) return undefined;
  const { AdminStats } = await import('../admin/stats.ts');
  const { AdminRequests } = await import('../admin/admin-stats.ts');
  const { datagramsTo } = await import('./datagrams.ts');
  const requests = new AdminRequests(context.deps.clock, () => context.node.ready);
  const shown = new AdminStats(context, stats, requests, datagramsTo);
  if (served === undefined) return shown;
  const { serveAdmin } = await import('../admin/server.ts');
  const server = serveAdmin(context, shown, served);
  requests.follow(server);
  server.on('listening', () => {
    const at = server.address();
    const text =
      typeof at === 'object' && at !== null ? `${at.address}:${at.port}` : 'path' in served ? served.path : '';
    context.logger.log('admin', 'info', `admin address: ${text}`);
    if (adminAddressPath === undefined) return;
    try {
      writeFileSync(adminAddressPath, text);
    } catch (error) {
      // Whoever waits for the file waits in vain, as with Envoy; traffic does not.
      context.logger.log('admin', 'critical', `the address is told to nobody: ${(error as Error).message}`);
    }
  });
  await new Promise<void>((listening, failed) => {
    server.once('listening', listening);
    server.once('error', failed);
  });
  server.on('error', (error) => context.logger.log('admin', 'error', error.message));
  return {
    close: () => {
      server.close();
      server.closeAllConnections();
      return shown.close();
    },
  };
}

/** Whether something comes from elsewhere: gRPC and the binary form of the API are loaded for it alone. */
function namesSources(value: unknown, key = ''): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return Object.entries(value).some(
    ([name, inner]) => SOURCES.has(name) || (name === 'path' && CONFIG_SOURCE.test(key)) || namesSources(inner, name),
  );
}

const SOURCES: ReadonlySet<string> = new Set([
  'ads',
  'apiConfigSource',
  'api_config_source',
  'pathConfigSource',
  'path_config_source',
]);

/** Names of fields that hold a ConfigSource, whose older form names a file as `path`. */
const CONFIG_SOURCE = /^(?!typed)\w*config(_?source)?$/i;

/** The node as others are told of it. */
function described({ node }: BootstrapProgram): JsonObject {
  return {
    ...(node as JsonObject),
    userAgentName: 'mizzen',
    userAgentBuildVersion: { version: { majorNumber: 1, minorNumber: 40 } },
  };
}

const CLIENT_FEATURES = ['envoy.lb.does_not_support_overprovisioning', 'xds.config.resource-in-sotw'];
