import manifest from '../../package.json' with { type: 'json' };
import { locator } from '@mizzen/api';
import { LocalXdsListener, loadOrCreateRoot } from '@mizzen/control-plane';
import { renderDiagnostic } from '@mizzen/diagnostics';
import { tidy, watchFiles } from '@mizzen/sources';
import type { ReadResult } from '@mizzen/sources';
import type { translate, translateReadiness } from '@mizzen/translator';
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { Commands } from '../api/commands.ts';
import { serviceEndpoints } from '../api/service-endpoints.ts';
import { Codes } from '../api/codes.ts';
import { ConfigEditor } from '../config/editor.ts';
import { MeshFiles } from '../config/mesh-files.ts';
import { ConsoleFiles } from '../api/console-files.ts';
import { ApiServer, type ApiOptions } from '../api/server.ts';
import type { LiveExplainer } from '../explain/live.ts';
import { startedWith } from '../envoy/started-with.ts';
import type { ControlOptions, FromControl, ToControl } from '../protocol.ts';
import { SpanExporter } from '../traces/exporter.ts';
import { LIMITS, TraceStore } from '../traces/store.ts';
import { LoggedRequests } from '../access-log/requests.ts';
import { LiveTraffic } from '../traffic/live.ts';
import { CurrentUsage } from '../traffic/usage.ts';
import { controlPlaneMetrics } from '../metrics/control-plane.ts';
import { OtlpExporter } from '../metrics/otlp/exporter.ts';
import { originsOf } from '../metrics/otlp/origins.ts';
import { rejectedConfigs } from '../metrics/rejected.ts';
import { WorkloadsMetrics } from '../metrics/workloads.ts';
import { describeHolder, portHolder } from '../supervisor/port-holder.ts';
import { StateDir } from '../supervisor/state-dir.ts';
import { Ads } from './ads.ts';
import { systemClock } from './clock.ts';
import { Control } from './control.ts';
import { LastGood } from './last-good.ts';
import { Proxies } from './proxies.ts';
import { findSettings, readSettings } from './settings/read.ts';
import { watchSettings } from './settings/watch.ts';

export interface StartDeps {
  readonly send: (message: FromControl) => void;
  readonly translate: typeof translate;
  readonly translateReadiness: typeof translateReadiness;
}

export interface RunningControl {
  handle(message: Exclude<ToControl, { readonly type: 'configure' | 'shutdown' }>): void;
  close(): Promise<void>;
}

/** @throws Error with the text to print when nothing can run. */
export async function startControl(
  options: ControlOptions,
  { send, ...translation }: StartDeps,
): Promise<RunningControl> {
  const { files, cwd, stateDir, meshConfig, token, apiPort, xdsSocket, adsSocket, certificateLifetime, engine } =
    options;
  process.chdir(cwd);
  const holder: { control?: Control } = {};
  const root = loadOrCreateRoot(join(stateDir, 'ca'), 'cluster.local', systemClock.wall());
  const metrics = controlPlaneMetrics(systemClock, root);
  const proxies = new Proxies({
    clock: systemClock,
    certificateLifetime,
    root,
    metrics,
    ...translation,
    onRefusal: (node, refusals) => holder.control?.onRefusals(node, refusals),
    onFailure: (node, error) => {
      const reason = error instanceof Error ? (error.stack ?? error.message) : String(error);
      send({ type: 'notice', text: `cannot translate for ${node}: ${reason}` });
    },
  });
  const xds = new LocalXdsListener({
    path: xdsSocket,
    server: proxies.server,
    onProblem: (text) => send({ type: 'notice', text }),
  });
  const ads = new Ads({
    path: adsSocket,
    server: proxies.server,
    onProblem: (text) => send({ type: 'notice', text }),
  });
  await Promise.all([xds.listen(), engine === 'envoy' ? ads.serve() : undefined]);

  const after = (milliseconds: number, run: () => void): (() => void) => {
    const timer = setTimeout(run, milliseconds);
    return () => clearTimeout(timer);
  };
  const onError = (error: Error): void =>
    send({ type: 'notice', text: `changes of files may go unnoticed: ${error.message}` });
  const stdin = Readable.from([options.stdin ?? '']);
  const watching = await watchFiles(files, { meshConfig, stdin, after, onError, engine }, (result) => {
    holder.control?.onFiles(result, savedAt(result));
  });
  if (options.again !== true) nothingToRun(watching.first, files);
  const settingsFiles = (): string[] => findSettings(files, cwd);
  const settings = readSettings(settingsFiles(), cwd);
  const settingsWatch = watchSettings(files, settings.files, cwd, () =>
    holder.control?.onSettings(readSettings(settingsFiles(), cwd)),
  );
  const running = new Control(watching.first, settings, {
    options,
    proxies,
    clock: systemClock,
    metrics,
    send,
    serveEnvoys: () => void ads.serve(),
    lastGood: new LastGood(join(stateDir, 'last-good.json'), (text) => send({ type: 'notice', text })),
  });
  holder.control = running;
  metrics.follow({
    versions: () => proxies.versions(),
    refusals: () => proxies.server.refusals(),
    services: () => running.state.model.services.length,
    virtualServices: () => running.state.model.snapshot.list('VirtualService').length,
    rejected: () => rejectedConfigs(running.state.result),
  });

  const pages: Readonly<Record<string, { text(): string }>> = {
    '/metrics': metrics,
    '/metrics/workloads': new WorkloadsMetrics(
      () => ({ ...running.state, certificates: proxies.certificates() }),
      systemClock,
    ),
  };
  const otlp =
    options.otlpMetrics &&
    new OtlpExporter({
      ...options.otlpMetrics,
      version: manifest.version,
      clock: systemClock,
      origins: () => originsOf(running.state, pages),
      onNotice: (text) => send({ type: 'notice', text }),
    });
  const commands = new Commands(send);
  const logs = new StateDir(stateDir);
  const traffic = new LiveTraffic(systemClock, () => running.state);
  const spans =
    options.otlpTraces &&
    new SpanExporter({
      ...options.otlpTraces,
      version: manifest.version,
      clock: systemClock,
      onNotice: (text) => send({ type: 'notice', text }),
    });
  const traces = new TraceStore(systemClock, LIMITS, (all) => spans?.add(all));
  const usage = new CurrentUsage(() => running.state, systemClock);
  const editor = new ConfigEditor({
    clock: systemClock,
    files: new MeshFiles(files, meshConfig === undefined ? undefined : tidy(meshConfig)),
    preview: (file, text) => watching.preview(file, text),
    control: () => running,
    proxies,
  });
  /** Loaded by the first who asks. */
  let explainer: Promise<LiveExplainer> | undefined;
  const served: Omit<ApiOptions, 'port'> = {
    token,
    state: () => running.state,
    proxies: () => proxies.status(locator(running.state.model.snapshot)),
    debug: {
      proxies: () => proxies.debug(locator(running.state.model.snapshot)),
      endpoints: () => serviceEndpoints(running.state.model),
      bootstrap: (node) => startedWith(stateDir, node),
    },
    input: { paths: files, meshConfig, directory: cwd },
    commands,
    rotateCertificates: () => proxies.rotateCertificates(),
    clock: systemClock,
    certificates: () => proxies.certificates(),
    logFile: (namespace, workload) => logs.workloadLog(namespace, workload),
    graph: (window) => traffic.graph(window),
    top: async (window) => traffic.top(window, await usage.read()),
    traces,
    requests: new LoggedRequests({
      state: () => running.state,
      clock: systemClock,
      accessLog: (namespace, workload) => logs.accessLog(namespace, workload),
      traces,
    }),
    async explain(query) {
      explainer ??= import('../explain/live.ts').then(
        ({ LiveExplainer }) => new LiveExplainer(systemClock, () => running.state, options),
      );
      return (await explainer).answer(query);
    },
    traffic,
    metrics: (page) => pages[page]?.text(),
    editor,
    codes: new Codes(systemClock),
  };
  const api = new ApiServer({ ...served, port: apiPort });
  const port = await listen(api, apiPort);
  const webConsole = options.consolePort === undefined ? undefined : await openConsole(served, options.consolePort);
  send({
    type: 'listening',
    api: `127.0.0.1:${port}`,
    xds: xdsSocket,
    ...(webConsole === undefined ? {} : { console: `127.0.0.1:${webConsole.port}` }),
  });

  return {
    handle(message) {
      switch (message.type) {
        case 'pods':
          return running.onPods(message.pods, message.sequence, message.proxies);
        case 'workloads':
          return running.onStatuses(message.workloads);
        case 'traffic':
          return traffic.add(message.nodes);
        case 'command-result':
          return commands.onResult(message);
        case 'counts':
      }
    },
    async close() {
      watching.close();
      settingsWatch.close();
      running.close();
      otlp?.close();
      spans?.close();
      proxies.close();
      await Promise.all([api.close(), webConsole?.close(), xds.close(), ads.close()]);
    },
  };
}

/** When the newest of the changed files was saved, by the clock; now, when that cannot be told. */
function savedAt({ changed, snapshot }: ReadResult): number {
  const files = new Set([...changed.added, ...changed.modified].map((ref) => snapshot.find(ref)?.source.file));
  const times = [...files].flatMap((file) => {
    const stat = file === undefined ? undefined : statSync(file, { throwIfNoEntry: false });
    return stat === undefined ? [] : [stat.mtimeMs];
  });
  const since = systemClock.wall() - Math.max(...times);
  return systemClock.now() - (since > 0 && since < LONGEST_NOTICE ? since : 0);
}

/** A file older than this was moved here rather than saved. */
const LONGEST_NOTICE = 2000;

/** A person who named nothing readable wants to hear of it, not to watch an empty mesh. */
function nothingToRun(first: ReadResult, files: readonly string[]): void {
  const { added } = first.changed;
  if (added.length > 0) return;
  const problems = first.diagnostics.map((each) => renderDiagnostic(each, { source: (file) => first.text(file) }));
  const names = files.map((file) => `\`${file}\``).join(', ');
  throw new Error(
    [...problems, `there is nothing to run in ${names}: no Kubernetes or Istio resource was read`].join('\n'),
  );
}

/** The console at its port or, when another program has that, at any. */
async function openConsole(served: Omit<ApiOptions, 'port'>, port: number): Promise<ApiServer> {
  const files = new ConsoleFiles();
  const wanted = new ApiServer({ ...served, console: files, port });
  try {
    await wanted.listen();
    return wanted;
  } catch {
    const other = new ApiServer({ ...served, console: files, port: 0 });
    await other.listen();
    return other;
  }
}

async function listen(api: ApiServer, port: number): Promise<number> {
  try {
    return await api.listen();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error;
    throw new Error(`port ${port} is taken by ${describeHolder(portHolder(port))}; choose another with --api-port`, {
      cause: error,
    });
  }
}
