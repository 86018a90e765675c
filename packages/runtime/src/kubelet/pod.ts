import { randomUUID } from 'node:crypto';
import type { LocalTraces, Node } from '@mizzen/translator';
import type { JsonObject } from '@mizzen/xds';
import type { DesiredContainer, DesiredWorkload, PodPhase, PodStatus } from '../protocol.ts';
import type { Builds, BuildSpec } from './builds.ts';
import { type Clock, within } from './clock.ts';
import { ContainerRunner } from './container.ts';
import { engineOf } from './engines.ts';
import { buildEnvironment } from './environment.ts';
import type { Launch } from './launch.ts';
import type { PodLayout } from './layout.ts';
import { podLabels } from './names.ts';
import { proxyNode } from './node.ts';
import type { Sidecars } from './sidecars.ts';
import type { StandIns, StandInSpec } from './stand-ins.ts';

export interface PodDeps {
  readonly clock: Clock;
  readonly launch: Launch;
  readonly sidecars: Sidecars;
  readonly standIns: StandIns;
  readonly builds: Builds;
  /** Where what is built for a container goes. */
  readonly buildDirectory: (workload: DesiredWorkload, container: string) => string;
  readonly layout: (workload: DesiredWorkload, gateway: boolean) => Promise<PodLayout>;
  readonly accessLog: (pod: Pod) => string;
  readonly traces?: LocalTraces | undefined;
  readonly eager: () => number;
  /** What every application inherits. */
  readonly environment: Readonly<Record<string, string>>;
  readonly onChange: (pod: Pod) => void;
  readonly onLine: (pod: Pod, container: string, stream: 'stdout' | 'stderr', line: string) => void;
  readonly onEvent: (pod: Pod, text: string) => void;
  /** Resolves once every proxy knows that this pod takes no more requests, or after a short while. */
  readonly endpointsGone: () => Promise<void>;
}

export interface PodOptions {
  readonly workload: DesiredWorkload;
  readonly name: string;
  readonly gateway: boolean;
  /** Counts up with creation. */
  readonly order: number;
  /** Of the template it was made from. */
  readonly revision: string;
}

/**
 * One pod: layout, then its sidecar, then its containers; the other way round when it ends. A gateway is a pod without
 * containers.
 */
export class Pod {
  readonly name: string;
  readonly namespace: string;
  readonly gateway: boolean;
  readonly order: number;
  readonly revision: string;
  readonly #uid = randomUUID();
  readonly #deps: PodDeps;
  #workload: DesiredWorkload;
  #layout: PodLayout | undefined;
  /** Ready, and every proxy knows: set by the kubelet. */
  serving = false;
  #node: { readonly id: string; readonly metadata: JsonObject } | undefined;
  #sidecarReady = false;
  #terminating: Promise<void> | undefined;
  #containers: ContainerRunner[] = [];
  #startFailure: string | undefined;

  constructor(options: PodOptions, deps: PodDeps) {
    this.name = options.name;
    this.namespace = options.workload.owner.namespace;
    this.gateway = options.gateway;
    this.order = options.order;
    this.revision = options.revision;
    this.#workload = options.workload;
    this.#deps = deps;
  }

  get workload(): DesiredWorkload {
    return this.#workload;
  }
  get terminating(): boolean {
    return this.#terminating !== undefined;
  }
  get node(): string | undefined {
    return this.#node?.id;
  }
  get layout(): PodLayout | undefined {
    return this.#layout;
  }

  /** Its addresses and ports are being looked for. */
  get placing(): boolean {
    return this.#layout === undefined && this.#startFailure === undefined && !this.terminating;
  }

  get ready(): boolean {
    if (this.terminating || !this.#sidecarReady) return false;
    return this.#containers.length === this.#runnable().length && this.#containers.every((c) => c.ready);
  }

  /** It will not become ready, however long one waits. */
  get unbuilt(): boolean {
    return this.#containers.some((c) => c.state === 'unbuilt');
  }

  async start(): Promise<void> {
    const layout = await this.#deps.layout(this.#workload, this.gateway);
    if (this.terminating) return layout.release();
    this.#layout = layout;
    if (layout.proxy === undefined) this.#sidecarReady = true;
    else {
      const { traces } = this.#deps;
      const accessLog = this.#deps.accessLog(this);
      this.#node = jsonNode(proxyNode(this.#workload, this.name, layout, { gateway: this.gateway, accessLog, traces }));
      const ready = this.#deps.sidecars.start(this.#node.id, this.#node.metadata, accessLog);
      this.#deps.onChange(this);
      await ready;
      if (this.terminating) return;
      this.#sidecarReady = true;
    }
    this.#containers = this.#runnable().map((container) => this.#runner(container, layout));
    for (const container of this.#containers) container.start();
    this.#deps.onChange(this);
  }

  /** A start that could not even begin, for want of addresses or ports. */
  failed(error: unknown): void {
    this.#startFailure = error instanceof Error ? error.message : String(error);
    this.#deps.onChange(this);
  }

  /** Gateways: other server ports, without a new pod. */
  updateGateway(workload: DesiredWorkload, layout: PodLayout): void {
    this.#workload = workload;
    this.#layout = layout;
    const { traces } = this.#deps;
    const accessLog = this.#deps.accessLog(this);
    this.#node = jsonNode(proxyNode(workload, this.name, layout, { gateway: true, accessLog, traces }));
    void this.#deps.sidecars.start(this.#node.id, this.#node.metadata, accessLog);
    this.#deps.onChange(this);
  }

  /** Ends it. `maxGraceMs` cuts the pod's own grace period short. Resolves when nothing of it is left. */
  terminate(options: { maxGraceMs?: number; drainMs: number }): Promise<void> {
    this.#terminating ??= this.#terminate(options);
    return this.#terminating;
  }

  async #terminate({ maxGraceMs = Infinity, drainMs }: { maxGraceMs?: number; drainMs: number }): Promise<void> {
    const { clock, endpointsGone, sidecars, onChange } = this.#deps;
    const grace = Math.min(maxGraceMs, this.#workload.terminationGracePeriodSeconds * 1000);
    const deadline = clock.now() + grace;
    const serving = this.#containers.some((c) => c.ready);
    // `terminating` is set only when this function has returned its promise.
    await Promise.resolve();
    onChange(this);
    const hooks = this.#containers.map((c) => c.preStop(grace));
    if (serving) hooks.push(endpointsGone());
    await within(clock, grace, Promise.all(hooks), undefined);
    const left = Math.max(0, deadline - clock.now());
    await Promise.all(this.#containers.map((c) => c.stop(left)));
    if (this.#node !== undefined) await sidecars.stop(this.#node.id, drainMs);
    this.#layout?.release();
  }

  status(): PodStatus {
    const layout = this.#layout;
    return {
      name: this.name,
      namespace: this.namespace,
      owner: this.#workload.owner,
      address: layout?.address ?? '',
      boundPorts: layout?.boundPorts ?? {},
      labels: podLabels(this.#workload, this.name),
      ready: this.ready,
      terminating: this.terminating,
      hasSidecar: this.#workload.sidecar && !this.gateway,
      engine: engineOf(this.#node?.metadata),
      phase: this.phase,
      restarts: this.#containers.reduce((sum, c) => sum + c.restarts, 0),
      containers: this.#containers.map((c) => c.status()),
      templateHash: this.#workload.templateHash,
      node: this.#node?.id,
      nodeMetadata: this.#node?.metadata,
      standIn: this.#runnable().some((c) => c.run.kind === 'stand-in'),
      message: this.message,
      applicationPorts: layout?.applicationPorts ?? {},
    };
  }

  get phase(): PodPhase {
    if (this.terminating) return 'Terminating';
    if (this.#layout === undefined) return 'Pending';
    if (this.unbuilt) return 'Failed';
    if (this.#containers.some((c) => c.state === 'waiting' && c.restarts > 0)) return 'CrashLoopBackOff';
    if (this.#containers.length > 0 && this.#containers.every((c) => c.state === 'completed')) {
      return this.#containers.some((c) => c.failed) ? 'Failed' : 'Succeeded';
    }
    if (this.#runnable().some((c) => c.run.kind === 'external')) return 'External';
    return this.ready || this.#containers.some((c) => c.state === 'running') ? 'Running' : 'Starting';
  }

  get message(): string | undefined {
    if (this.#startFailure !== undefined) return this.#startFailure;
    const external = this.#runnable().find((c) => c.run.kind === 'external');
    if (external !== undefined && !this.ready && this.#layout !== undefined) return this.#invitation(external);
    if (this.#layout !== undefined && !this.#sidecarReady) return 'waiting for its sidecar';
    const unbuilt = this.#containers.find((c) => c.state === 'unbuilt');
    if (unbuilt !== undefined) return unbuilt.message;
    return this.#containers.find((c) => c.message !== undefined)?.message;
  }

  /** Where a person's own process is expected, and how it reaches the mesh. */
  #invitation(container: DesiredContainer): string {
    const port = container.ports[0]?.port;
    const local = port === undefined ? undefined : this.#layout?.applicationPorts[port];
    const proxy = this.#layout?.proxy?.httpProxy;
    const where = local === undefined ? 'start it' : `start it with PORT=${local}`;
    return proxy === undefined ? where : `${where} http_proxy=http://${proxy.address}:${proxy.port}`;
  }

  #runnable(): readonly DesiredContainer[] {
    return this.gateway ? [] : this.#workload.containers;
  }

  #runner(container: DesiredContainer, layout: PodLayout): ContainerRunner {
    const workload = this.#workload;
    const identity = { name: this.name, namespace: this.namespace, uid: this.#uid };
    const onLine = (stream: 'stdout' | 'stderr', line: string): void =>
      this.#deps.onLine(this, container.name, stream, line);
    const build = buildOf(container, this.#deps, workload);
    return new ContainerRunner(
      {
        container,
        env: () => ({
          ...this.#deps.environment,
          ...build?.env,
          ...buildEnvironment(workload, container, layout, identity),
        }),
        applicationAddress: layout.applicationAddress,
        applicationPorts: layout.applicationPorts,
        restartPolicy: workload.restartPolicy ?? 'Always',
        standIn: this.#standInSpec(container, layout),
        graceMs: workload.terminationGracePeriodSeconds * 1000,
      },
      {
        clock: this.#deps.clock,
        launch: this.#deps.launch,
        standIns: this.#deps.standIns,
        prepare: build && (() => this.#deps.builds.run({ ...build, revision: this.revision, onLine })),
        eager: this.#deps.eager,
        onChange: () => this.#deps.onChange(this),
        onLine,
        onEvent: (text) => this.#deps.onEvent(this, text),
      },
    );
  }

  #standInSpec(container: DesiredContainer, layout: PodLayout): StandInSpec {
    const probed = [container.startup, container.readiness, container.liveness]
      .flatMap((probe) => [probe?.httpGet?.port, probe?.tcpSocket?.port, probe?.grpc?.port])
      .filter((port) => typeof port === 'number');
    const ports = new Set([...container.ports.map((p) => p.port), ...probed]);
    return {
      id: `${this.#uid}/${container.name}`,
      pod: this.name,
      namespace: this.namespace,
      workload: this.#workload.owner.name,
      container: container.name,
      version: this.#workload.version,
      serviceAccount: this.#workload.serviceAccount,
      address: layout.applicationAddress,
      ports: Object.fromEntries([...ports].map((port) => [port, layout.applicationPorts[port] ?? port])),
    };
  }
}

/** A build has the environment of whoever started the mesh, not the sidecar's proxy: it is no part of the pod. */
function buildOf(
  { name, run }: DesiredContainer,
  { buildDirectory, environment }: PodDeps,
  workload: DesiredWorkload,
): Omit<BuildSpec, 'onLine' | 'revision'> | undefined {
  if (run.kind !== 'command' || (run.build === undefined && run.requires === undefined)) return undefined;
  const directory = buildDirectory(workload, name);
  const env = { ...environment, MIZZEN_BUILD_DIR: directory };
  return { directory, requires: run.requires ?? [], command: run.build, dir: run.dir, env };
}

/** Without what is undefined, which JSON does not have. */
function jsonNode({ id, metadata }: Node): { id: string; metadata: JsonObject } {
  return { id, metadata: JSON.parse(JSON.stringify(metadata)) as JsonObject };
}
