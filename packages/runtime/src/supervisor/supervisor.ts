import { dirname, delimiter, resolve as resolvePath } from 'node:path';
import type { FromProxy } from '@mizzen/proxy/process/protocol.ts';
import { inherited } from '../kubelet/environment.ts';
import { systemClock } from '../kubelet/clock.ts';
import { Engines } from '../kubelet/engines.ts';
import { Envoys } from '../envoy/envoys.ts';
import type { EnvoyBinary } from '../envoy/find.ts';
import { fileName } from '../envoy/started-with.ts';
import { CommandError, Kubelet } from '../kubelet/kubelet.ts';
import { type Groups, launcher } from '../kubelet/launch.ts';
import { layoutDeps } from '../kubelet/layout.ts';
import type { PodNetwork } from '../kubelet/addresses.ts';
import { tryBind } from '../kubelet/ports.ts';
import type { Pod } from '../kubelet/pod.ts';
import type { Counts } from '../kubelet/workload.ts';
import { unpackDesired } from '../desired.ts';
import type { DesiredWorkload, FromControl, ToControl } from '../protocol.ts';
import type { FromLoad, ToLoad } from '../load/protocol.ts';
import { duration } from '../terminal/style.ts';
import type { Terminal } from '../terminal/terminal.ts';
import { AccessLogs } from './access-logs.ts';
import { ApiFile } from './api-file.ts';
import { controlOptions } from './control-options.ts';
import { describeConverged } from './converged.ts';
import { DataPlane } from './data-plane.ts';
import { entries as builtIn } from './entries.ts';
import { gatewayConflict, gatewayUrls } from './gateways.ts';
import { LogFiles, logLine } from './log-file.ts';
import type { UpOptions } from './options.ts';
import { Observer } from './observer.ts';
import { OwnProcess } from './own-process.ts';
import { describeHolder, portHolder } from './port-holder.ts';
import { StandInHost } from './stand-in-host.ts';
import type { StateDir } from './state-dir.ts';
import { throttle } from './throttle.ts';
import { Watches } from './watch.ts';

/** Why a mesh ends: asked to, or it could not go on. */
export type Ending = { readonly kind: 'stopped' } | { readonly kind: 'failed'; readonly text: string };

export interface SupervisorDeps {
  readonly state: StateDir;
  readonly groups: Groups;
  readonly network: PodNetwork;
  readonly terminal: Terminal;
  /** Looked for on first use, once. Rejects with an EnvoyError. */
  readonly envoy: () => Promise<EnvoyBinary>;
}

/** A control process that dies this often before it ever said what should run is not going to. */
const HOPELESS = 4;
/** Lines of a workload's output that are shown when it dies. */
const LAST_WORDS = 5;
/**
 * Reports of pods to the control process are at least this far apart, and further while many pods are on their way: each
 * report is work for every proxy, and another is about to come.
 */
const REPORT_MS = 10;
const REPORT_MS_PER_UNREADY = 5;
const LONGEST_REPORT_MS = 100;

/** Everything `mizzen up` runs, put together: control process, data plane, stand-ins, pods; and what it tells a person. */
export class Supervisor {
  readonly ended: Promise<Ending>;
  readonly #end: (ending: Ending) => void;
  readonly #options: UpOptions;
  readonly #deps: SupervisorDeps;
  readonly #kubelet: Kubelet;
  readonly #control: OwnProcess<ToControl, FromControl>;
  readonly #dataPlane: DataPlane;
  readonly #envoys: Envoys;
  readonly #observer: Observer;
  readonly #standIns: StandInHost;
  readonly #load: OwnProcess<ToLoad, FromLoad>;
  readonly #logs = new LogFiles();
  readonly #accessLogs: AccessLogs;
  readonly #watches: Watches;
  readonly #lastLines = new WeakMap<Pod, string[]>();
  /** By process, what its last death was explained with. */
  readonly #explained = new Map<string, string>();
  readonly #notices = new Set<string>();
  #gateways: readonly DesiredWorkload[] = [];
  #desired = false;
  /** Of the API. */
  #token = '';
  /** `HOST:PORT` */
  #console: string | undefined;
  #ready = false;
  #stopping = false;
  #controlDeaths = 0;

  constructor(options: UpOptions, deps: SupervisorDeps) {
    this.#options = options;
    this.#deps = deps;
    const { promise, resolve } = Promise.withResolvers<Ending>();
    this.ended = promise;
    this.#end = resolve;
    const { state, groups, network } = deps;
    const entries = options.entries ?? builtIn;
    const environment = applicationEnvironment(options.environment, state);
    const common = { clock: systemClock, groups, env: { ...environment, MIZZEN_STATE_DIR: state.path } };
    this.#control = new OwnProcess<ToControl, FromControl>({
      ...common,
      name: 'control process',
      entry: entries.control,
      onStart: () => this.#controlStarted(),
      onMessage: (message) => this.#fromControl(message),
      onExit: (how, wait, last) => this.#controlDied(how, wait, last),
      onLine: (line) => this.#own('control', line),
    });
    // First: everything else waits for what it says.
    this.#control.start();
    this.#dataPlane = new DataPlane({
      ...common,
      entry: entries.dataPlane,
      xds: state.xdsSocket(),
      onProcess: () => this.#processesChanged(),
      onCounts: (nodes) => this.#counted(nodes),
      onTraffic: (nodes) => this.#control.send({ type: 'traffic', nodes }),
      onBindFailed: (failure) => this.#bindFailed(failure),
      onLog: ({ level, node, message }) => {
        const subject = node?.split('~')[2];
        if (level === 'error' || level === 'warning') this.#event(level, message, subject);
        this.#own('data-plane', [level, subject, message].filter(Boolean).join(' '));
      },
      onExit: (how, wait, last) => this.#died('data plane', how, wait, last),
      onLine: (line) => this.#own('data-plane', line),
    });
    if (options.engine === 'mizzen') this.#dataPlane.launch();
    this.#envoys = new Envoys({
      clock: systemClock,
      groups,
      random: Math.random,
      environment,
      isFree: async (address, port) => (await tryBind(address, port)) === 'free',
      binary: deps.envoy,
      xds: state.adsSocket(),
      metrics: state.observerSocket(),
      bootstrap: (id) => state.envoyBootstrap(id),
      admin: (id) => state.envoyAdmin(id),
      onProcess: () => this.#processesChanged(),
      onCounts: (nodes) => this.#counted(nodes),
      onBindFailed: (failure) => this.#bindFailed(failure),
      onLog: (node, { level, text }) =>
        this.#event(level === 'warning' ? 'warning' : 'error', `Envoy: ${text}`, podOf(node)),
      onExit: (node, how, wait, last) => this.#died(`Envoy of ${podOf(node)}`, how, wait, last),
      onLine: (node, line) => this.#envoyLine(node, line),
    });
    this.#observer = new Observer({
      ...common,
      entry: entries.observer,
      path: state.observerSocket(),
      admin: (node) => state.envoyAdmin(fileName(node)),
      onTraffic: (nodes) => this.#control.send({ type: 'traffic', nodes }),
      onLog: ({ node, message }) => this.#event('warning', message, node === undefined ? undefined : podOf(node)),
      onExit: (how, wait, last) => this.#died('observer of the Envoys', how, wait, last),
      onLine: (line) => this.#own('observer', line),
    });
    this.#accessLogs = new AccessLogs({
      clock: systemClock,
      folder: state.logs,
      onGone: () => this.#event('warning', `\`${state.logs}\` was taken away: other commands may not find this mesh`),
      reopen: () => {
        this.#dataPlane.reopenLogs();
        return this.#envoys.reopenLogs();
      },
    });
    this.#standIns = new StandInHost({
      ...common,
      entry: entries.standIns,
      onExit: (how, wait, last) => this.#died('process of the stand-ins', how, wait, last),
      onLine: (line) => this.#own('stand-ins', line),
    });
    this.#load = new OwnProcess<ToLoad, FromLoad>({
      ...common,
      name: 'load',
      entry: entries.load,
      onStart: () => this.#loadStarted(),
      onMessage: ({ message }) => this.#event('warning', `the load of the mesh is not sent: ${message}`),
      onExit: (how, wait, last) => this.#died('process of the load', how, wait, last),
      onLine: (line) => this.#own('load', line),
    });
    this.#kubelet = new Kubelet({
      clock: systemClock,
      launch: launcher(groups),
      sidecars: new Engines({ mizzen: this.#dataPlane, envoy: this.#envoys }, [this.#observer, this.#dataPlane.others]),
      standIns: this.#standIns,
      layout: layoutDeps(network),
      environment,
      buildDirectory: ({ owner }, container) => state.build(owner.namespace, owner.name, container),
      accessLog: (pod) => state.accessLog(pod.namespace, pod.workload.owner.name),
      traces: { address: '127.0.0.1', port: options.apiPort },
      onPods: throttle(
        () => Math.min(LONGEST_REPORT_MS, Math.max(REPORT_MS, this.#kubelet.unready * REPORT_MS_PER_UNREADY)),
        (sequence) => {
          this.#report(sequence);
        },
      ),
      onLine: (pod, container, stream, line) => this.#output(pod, container, stream, line),
      onEvent: (pod, text) => this.#podEvent(pod, text),
      onChange: () => this.#show(),
    });
    this.#watches = new Watches(
      ({ owner }, path) => {
        this.#event('info', `\`${path}\` changed, restarting`, owner.name);
        this.#kubelet.restart(owner.name, owner.namespace);
      },
      (text) => this.#event('warning', text),
    );
  }

  /** Pids of Mizzen's own processes. */
  get processes(): { readonly control: number | undefined; readonly dataPlane: number | undefined } {
    return { control: this.#control.pid, dataPlane: this.#dataPlane.pid };
  }

  /** Ends everything, pods first, within about `withinMs`. */
  async stop(withinMs: number): Promise<void> {
    this.#stopping = true;
    this.#watches.close();
    this.#accessLogs.close();
    // First, so that it meets nothing that is ending.
    await this.#load.stop(undefined, withinMs * 0.05);
    await this.#kubelet.stop(withinMs * 0.7);
    await Promise.all([
      this.#dataPlane.shutdown(0, withinMs * 0.15),
      this.#envoys.shutdown(),
      this.#control.stop({ type: 'shutdown' }, withinMs * 0.15),
      this.#standIns.stop(withinMs * 0.1),
      this.#observer.shutdown(withinMs * 0.1),
    ]);
    this.#logs.flush();
  }

  flushLogs(): void {
    this.#logs.flush();
  }

  // ---- the control process ---------------------------------------------------------------------------------------

  #controlStarted(): void {
    const { state } = this.#deps;
    if (!this.#desired) this.#token = state.token();
    else
      this.#kept('what is kept of the mesh', () => {
        state.create();
        this.#token = state.token();
      });
    const options = controlOptions(this.#options, state, this.#token, this.#desired);
    this.#control.send({ type: 'configure', options });
    if (!this.#desired) return;
    this.#report(this.#kubelet.sequence);
  }

  /** A mesh that runs does not end because its state directory was taken away, or its disk is full. */
  #kept(what: string, write: () => void): void {
    try {
      write();
    } catch (error) {
      this.#event('warning', `${what} is not in the state directory: ${(error as Error).message}`);
    }
  }

  #processesChanged(): void {
    if (this.#desired && !this.#stopping) this.#report(this.#kubelet.sequence);
  }

  /** Tells the control process what runs. */
  #report(sequence: number): void {
    const dataPlane = this.#dataPlane.pid;
    const proxies = [...(dataPlane === undefined ? [] : [{ pid: dataPlane }]), ...this.#envoys.processes];
    this.#control.send({ type: 'pods', pods: this.#kubelet.pods(), sequence, proxies });
    this.#control.send({ type: 'workloads', workloads: this.#kubelet.workloads() });
  }

  #controlDied(how: string, waitMs: number, last: readonly string[]): void {
    if (!this.#desired && ++this.#controlDeaths >= HOPELESS) {
      return this.#end({ kind: 'failed', text: ['the control process does not start:', ...last].join('\n  ') });
    }
    this.#died('control process', how, waitMs, last);
  }

  #fromControl(message: FromControl): void {
    switch (message.type) {
      case 'desired':
        return void this.#apply(unpackDesired(message));
      case 'listening':
        this.#kept('where its API is', () => new ApiFile(this.#deps.state).write(message.api, message.console));
        this.#console = message.console;
        return this.#show();
      case 'change':
        return this.#deps.terminal.event({ ...message, kind: 'change' });
      case 'converged':
        return this.#event('info', describeConverged(message));
      case 'pods-converged':
        return this.#kubelet.converged(message.sequence);
      case 'nack':
        return this.#event(
          'warning',
          `${message.node.split('~')[2] ?? ''} refused ${message.resource}: ${message.message}`,
        );
      case 'notice':
        // A control process that was started anew says again what the one before it said.
        if (this.#notices.has(message.text)) return;
        this.#notices.add(message.text);
        return this.#event('info', message.text);
      case 'fatal':
        // What runs goes on without it; it ends, and another is started.
        if (this.#desired) return this.#event('error', `the control process cannot start: ${message.text}`);
        return this.#end({ kind: 'failed', text: message.text });
      case 'command':
        return this.#command(message);
      default:
        message satisfies never;
    }
  }

  async #apply({ workloads, gateways }: ReturnType<typeof unpackDesired>): Promise<void> {
    if (this.#stopping) return;
    if (!this.#desired) {
      const conflict = await gatewayConflict(gateways);
      if (conflict !== undefined) return this.#end({ kind: 'failed', text: conflict });
      const missing = await this.#missingEnvoy([...workloads, ...gateways]);
      if (missing !== undefined) return this.#end({ kind: 'failed', text: missing });
    }
    this.#desired = true;
    this.#gateways = gateways;
    this.#kubelet.apply(workloads, gateways);
    this.#watches.apply(workloads);
  }

  #command(command: Extract<FromControl, { type: 'command' }>): void {
    const { id, workload = '', namespace } = command;
    try {
      if (command.command === 'scale') {
        this.#kubelet.scale(workload, namespace, command.replicas ?? Number.NaN);
        this.#event('info', `scaling to ${command.replicas}`, workload);
      } else if (command.command === 'restart') {
        this.#kubelet.restart(workload, namespace);
        this.#event('info', 'restarting', workload);
      } else this.#end({ kind: 'stopped' });
      this.#control.send({ type: 'command-result', id });
    } catch (error) {
      if (!(error instanceof CommandError)) throw error;
      this.#control.send({ type: 'command-result', id, error: { code: error.code, message: error.message } });
    }
  }

  /** What to tell a person when some of the workloads want an Envoy and there is none. */
  async #missingEnvoy(workloads: readonly DesiredWorkload[]): Promise<string | undefined> {
    const wants = workloads.find(({ engine }) => engine === 'envoy');
    if (wants === undefined) return undefined;
    try {
      await this.#deps.envoy();
      return undefined;
    } catch (error) {
      return `${wants.owner.kind} \`${wants.owner.name}\` runs on Envoy: ${(error as Error).message}`;
    }
  }

  /** Said once for each address; proxies try again by themselves. */
  #bindFailed({
    node,
    address,
    port,
  }: Pick<Extract<FromProxy, { type: 'bind-failed' }>, 'node' | 'address' | 'port'>): void {
    const what = `${node.split('~')[2] ?? node} cannot listen on ${address}:${port}`;
    if (this.#stopping || this.#notices.has(what)) return;
    this.#notices.add(what);
    const why = `${what}, which is taken by ${describeHolder(portHolder(port, address))}`;
    const replaced = this.#kubelet.replace(node);
    this.#event('warning', replaced ? `${why}; another pod takes its place` : `${why}; trying again`);
  }

  // ---- what a person sees -----------------------------------------------------------------------------------------

  #show(): void {
    if (this.#stopping || !this.#desired) return;
    const { terminal } = this.#deps;
    const webConsole = this.#console === undefined ? [] : [`console http://${this.#console}`];
    const { load } = this.#options;
    const target = this.#loadTarget();
    const sent = load === undefined || target === undefined ? [] : [`load ${load.rate} a second (${load.file})`];
    terminal.update(this.#kubelet.workloads(), [...gatewayUrls(this.#gateways), ...webConsole, ...sent]);
    if (this.#ready || !this.#kubelet.ready) return;
    this.#ready = true;
    terminal.ready(performance.now() - this.#options.startedAt);
    if (load === undefined) return;
    if (target === undefined)
      return this.#event('warning', 'no load is sent: the mesh has no gateway that speaks HTTP');
    this.#load.start();
  }

  #loadTarget(): string | undefined {
    return gatewayUrls(this.#gateways).find((url) => url.startsWith('http:'));
  }

  #loadStarted(): void {
    const [{ load, cwd }, target] = [this.#options, this.#loadTarget()];
    if (load === undefined || target === undefined) return;
    this.#load.send({ type: 'configure', file: resolvePath(cwd, load.file), rate: load.rate, target });
  }

  #event(kind: 'info' | 'warning' | 'error', text: string, workload?: string): void {
    if (this.#stopping && kind !== 'error') return;
    this.#deps.terminal.event(workload === undefined ? { kind, text } : { kind, text, workload });
  }

  #podEvent(pod: Pod, text: string): void {
    if (this.#stopping) return;
    this.#event('warning', text, pod.name);
    if (this.#options.log) return;
    const lines = this.#lastLines.get(pod) ?? [];
    for (const line of lines) this.#deps.terminal.output(pod.name, 'stderr', line);
    this.#lastLines.delete(pod);
  }

  #output(pod: Pod, container: string, stream: 'stdout' | 'stderr', line: string): void {
    const { state, terminal } = this.#deps;
    this.#logs.write(
      state.workloadLog(pod.namespace, pod.workload.owner.name),
      logLine(new Date(), pod.name, pod.workload.containers.length > 1 ? container : undefined, stream, line),
    );
    if (this.#options.log) return terminal.output(pod.name, stream, line);
    let last = this.#lastLines.get(pod);
    if (last === undefined) {
      last = [];
      this.#lastLines.set(pod, last);
    }
    last.push(line);
    if (last.length > LAST_WORDS) last.shift();
  }

  #died(name: string, how: string, waitMs: number, last: readonly string[]): void {
    if (this.#stopping) return;
    const again = waitMs === 0 ? 'starting another' : `starting another in ${duration(waitMs)}`;
    this.#event('warning', `the ${name} ${how}; ${again}`);
    // The same end again and again is explained once.
    const text = last.join('\n');
    if (this.#explained.get(name) === text) return;
    this.#explained.set(name, text);
    for (const line of last) this.#event('warning', `  ${line}`);
  }

  #counted(nodes: readonly ({ readonly node: string } & Counts)[]): void {
    for (const { node, ...counts } of nodes) this.#kubelet.count(node, counts);
    this.#control.send({ type: 'counts', nodes });
    this.#control.send({ type: 'workloads', workloads: this.#kubelet.workloads() });
    this.#show();
  }

  #envoyLine(node: string, line: string): void {
    const pod = this.#kubelet.podOf(node);
    if (pod === undefined) return;
    const { state } = this.#deps;
    this.#logs.write(state.envoyLog(pod.namespace, pod.workload.owner.name), `${pod.name} ${line}`);
  }

  #own(name: string, line: string): void {
    this.#logs.write(this.#deps.state.ownLog(name), line);
  }
}

/** `sidecar~127.64.0.2~web-0.default~default.svc.cluster.local` → `web-0.default` */
function podOf(node: string): string {
  return node.split('~')[2] ?? node;
}

/**
 * What every process inherits: the person's environment, with the Node that runs Mizzen first on the path (a manifest's
 * `node` then is one that takes TypeScript), and a place to keep compiled code, which is most of an application's start.
 */
function applicationEnvironment(env: NodeJS.ProcessEnv, state: StateDir): Record<string, string> {
  const result = inherited(env);
  result.PATH = [dirname(process.execPath), result.PATH].filter(Boolean).join(delimiter);
  result.NODE_COMPILE_CACHE ??= state.cache;
  return result;
}
