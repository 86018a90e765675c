import { WorkloadSecrets, XdsServer } from '@mizzen/control-plane';
import type {
  Clock,
  ControlPlaneMetrics,
  Convergence,
  DebugProxy,
  NodeConfig,
  Refusal,
  Root,
  Timer,
} from '@mizzen/control-plane';
import type { ConnectedProxy } from '@mizzen/control-plane/grpc/index.ts';
import { locator } from '@mizzen/api';
import type { MeshModel } from '@mizzen/model';
import { translate } from '@mizzen/translator';
import type { Node, Origins } from '@mizzen/translator';
import { evidenceOf, sameResources, sameShape } from '../control/configurations.ts';
import { refusalOrigin } from '../control/refusals.ts';
import type { ProxyCertificate } from '../metrics/certificate-expiry.ts';
import { podOf } from './node.ts';
import { readableSecrets } from './readable.ts';

export interface ConnectedProxiesOptions {
  readonly clock: Clock;
  readonly root: Root;
  readonly metrics?: ControlPlaneMetrics;
  readonly onRefusal: (node: Node, refusal: Refusal, origin: Origin | undefined) => void;
  readonly onWithheld: (node: Node, secret: string, reason: string) => void;
  /** A translation failed, which is a fault of Mizzen's own: the proxy keeps what it has. */
  readonly onFailure: (node: Node, error: unknown) => void;
}

type Origin = ReturnType<typeof refusalOrigin>;

interface Connected {
  readonly proxy: ConnectedProxy;
  readonly node: Node;
  /** Milliseconds since the epoch. */
  readonly connectedAt: number;
  config: NodeConfig | undefined;
  /** Of the last time that something beside endpoints was another. */
  before: NodeConfig | undefined;
  registry: MeshModel['registry'] | undefined;
  origins: Origins | undefined;
  /** Refusals and withheld secrets that were told already. */
  readonly told: Set<string>;
}

/** Between translations for proxies that come at once, in which all else that waits has its turn. Milliseconds. */
const PAUSE = 1;

/** The proxies that are connected: who they are, what they are sent, and where each part of it came from. */
export class ConnectedProxies {
  readonly server: XdsServer;
  readonly #options: ConnectedProxiesOptions;
  readonly #secrets: WorkloadSecrets;
  readonly #connected = new Map<string, Connected>();
  /** Those that nothing was translated for yet. */
  readonly #fresh = new Set<Connected>();
  #turn: Timer | undefined;
  #model: MeshModel;

  constructor(model: MeshModel, options: ConnectedProxiesOptions) {
    this.#model = model;
    this.#options = options;
    const { clock, root, metrics } = options;
    this.server = new XdsServer({
      clock,
      onRefusal: (key, refusals) => this.#onRefusals(key, refusals),
      observer: metrics,
    });
    this.#secrets = new WorkloadSecrets({
      clock,
      root,
      onRotate: (key) => void this.server.refresh(key),
      observer: metrics,
    });
  }

  get size(): number {
    return this.#connected.size;
  }

  /**
   * Translates for one proxy at a time, and for nobody who is gone again meanwhile: when many come at once, those that are
   * connected are not kept waiting.
   */
  connect(proxy: ConnectedProxy, node: Node): void {
    const connected: Connected = {
      proxy,
      node,
      connectedAt: this.#options.clock.wall(),
      config: undefined,
      before: undefined,
      registry: undefined,
      origins: undefined,
      told: new Set(),
    };
    this.#connected.set(proxy.key, connected);
    this.#fresh.add(connected);
    this.#turn ??= this.#options.clock.after(PAUSE, () => this.#nextFresh());
  }

  disconnect({ key }: ConnectedProxy): void {
    const connected = this.#connected.get(key);
    if (connected !== undefined) this.#fresh.delete(connected);
    this.#connected.delete(key);
    this.#secrets.forget(key);
    this.server.commit(new Map([[key, undefined]]));
  }

  /** Translates for every proxy and puts the result in force. Returns the number of proxies concerned. */
  update(model: MeshModel, startedAt: number, onConverged: (convergence: Convergence) => void): number {
    this.#model = model;
    this.#fresh.clear();
    const changes = new Map<string, NodeConfig>();
    for (const connected of this.#connected.values()) {
      const config = this.#translate(connected);
      if (config !== undefined) changes.set(connected.proxy.key, config);
    }
    return this.server.commit(changes, { startedAt, onConverged });
  }

  /** Version of Istio's API that each proxy says it speaks. */
  *versions(): Generator<string> {
    for (const { node } of this.#connected.values()) yield node.metadata.ISTIO_VERSION ?? 'unknown';
  }

  /** What proxies refuse now, with their nodes: a node may have several streams. */
  *refusals(): Generator<readonly [node: string, refusal: Refusal]> {
    for (const [key, refusal] of this.server.refusals()) yield [this.#connected.get(key)?.node.id ?? key, refusal];
  }

  debug(): DebugProxy[] {
    const refusals = new Map(this.server.status().map((each) => [each.node, each.refusals]));
    const locate = locator(this.#model.snapshot);
    return [...this.#connected.values()].map(({ proxy: { key, node }, config, before, origins }) => ({
      node,
      connected: true,
      config,
      sync: this.server.sync(key),
      refusals: (refusals.get(key) ?? []).map((refusal) => {
        const origin = refusalOrigin(refusal, evidenceOf({ config, before, origins }, refusal), locate);
        return origin === undefined ? refusal : { ...refusal, origin };
      }),
    }));
  }

  /** Of plain Envoys that have one from here; one for a node that has several streams. */
  certificates(): ProxyCertificate[] {
    const found = new Map<string, ProxyCertificate>();
    for (const { node: key, chain } of this.#secrets.held()) {
      const node = this.#connected.get(key)?.node;
      if (node === undefined || chain === undefined || node.metadata.ISTIO_VERSION !== undefined) continue;
      const { WORKLOAD_NAME } = node.metadata;
      found.set(node.id, { ...podOf(node), workload: typeof WORKLOAD_NAME === 'string' ? WORKLOAD_NAME : '', chain });
    }
    return [...found.values()];
  }

  close(): void {
    this.#turn?.cancel();
    this.#secrets.close();
  }

  #nextFresh(): void {
    this.#turn = undefined;
    const [connected] = this.#fresh;
    if (connected === undefined) return;
    this.#fresh.delete(connected);
    if (this.#fresh.size > 0) this.#turn = this.#options.clock.after(PAUSE, () => this.#nextFresh());
    const config = this.#translate(connected);
    if (config !== undefined) this.server.commit(new Map([[connected.proxy.key, config]]));
  }

  #translate(connected: Connected): NodeConfig | undefined {
    const { node, proxy } = connected;
    const model = this.#model;
    try {
      const { resources, origins } = translate(model, node);
      connected.origins = origins;
      // Nothing differs, and secrets come from what the registry stands for.
      if (
        connected.config !== undefined &&
        connected.registry === model.registry &&
        sameResources(connected.config, resources)
      ) {
        return connected.config;
      }
      connected.registry = model.registry;
      const reader = { key: proxy.key, identity: proxy.identity, local: proxy.peer.sameUser };
      const secret = readableSecrets(reader, resources, {
        secrets: this.#secrets,
        snapshot: () => model.snapshot,
        onWithheld: (name, reason) =>
          this.#tell(connected, `${name} ${reason}`, () => {
            this.#options.onWithheld(node, name, reason);
          }),
      });
      const known = connected.config;
      if (known !== undefined && !sameShape(known, resources)) connected.before = known;
      return (connected.config = { ...resources, secret });
    } catch (error) {
      this.#options.onFailure(node, error);
      return undefined;
    }
  }

  #onRefusals(key: string, refusals: readonly Refusal[]): void {
    const connected = this.#connected.get(key);
    if (connected === undefined) return;
    for (const refusal of refusals) {
      const { typeUrl, resource, version, message } = refusal;
      this.#tell(connected, `${typeUrl} ${resource} ${version} ${message}`, () => {
        const origin = refusalOrigin(refusal, evidenceOf(connected, refusal), locator(this.#model.snapshot));
        this.#options.onRefusal(connected.node, refusal, origin);
      });
    }
  }

  #tell({ told }: Connected, what: string, tell: () => void): void {
    if (told.has(what) || told.size > MOST_TOLD) return;
    told.add(what);
    tell();
  }
}

/** A proxy that goes on asking for things it does not get fills no log. */
const MOST_TOLD = 1000;
