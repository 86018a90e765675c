import { WorkloadSecrets, XdsServer } from '@mizzen/control-plane';
import type {
  Clock,
  ControlPlaneMetrics,
  Convergence,
  DebugProxy,
  HeldCertificate,
  Identity,
  NodeConfig,
  ProxyStatus,
  Refusal,
  Root,
  SecretAnswer,
} from '@mizzen/control-plane';
import { hash } from 'node:crypto';
import type { Locate } from '@mizzen/api';
import type { MeshModel } from '@mizzen/model';
import type { Node, NodeMetadata, Origins, translate, translateReadiness, XdsResources } from '@mizzen/translator';
import type { DesiredWorkload, PodStatus } from '../protocol.ts';
import { credentialOf } from './credentials.ts';
import { evidenceOf, sameResources, sameShape } from './configurations.ts';
import { resolveFileSecret } from './file-secrets.ts';
import { type Evidence, refusalOrigin } from './refusals.ts';

/** How a proxy is, with the line of YAML that each of its refusals comes from. */
export interface ProxyState extends ProxyStatus {
  readonly refusals: readonly (Refusal & { readonly origin?: { readonly file: string; readonly line: number } })[];
}

export interface ProxiesOptions {
  readonly clock: Clock;
  readonly root: Root;
  readonly certificateLifetime?: number;
  readonly metrics?: ControlPlaneMetrics;
  readonly translate: typeof translate;
  readonly translateReadiness: typeof translateReadiness;
  readonly onRefusal: (node: string, refusals: readonly Refusal[]) => void;
  /** A translation failed, which is a fault of Mizzen's own: the proxy keeps what it has. */
  readonly onFailure: (node: string, error: unknown) => void;
}

export interface PreviewedProxy {
  readonly node: string;
  readonly before: NodeConfig | undefined;
  readonly after: XdsResources;
}

function* previewed(
  nodes: readonly { readonly node: Node; readonly before: NodeConfig | undefined }[],
  translated: (node: Node) => XdsResources,
): Generator<PreviewedProxy> {
  for (const { node, before } of nodes) yield { node: node.id, before, after: translated(node) };
}

export interface RunningPods {
  readonly pods: readonly PodStatus[];
  readonly gateways: readonly DesiredWorkload[];
  /** Nothing but the readiness of pods differs from the update before. */
  readonly readinessOnly: boolean;
}

/** The proxies of the mesh: who they are, what they are sent, and where each part of it came from. */
export class Proxies {
  readonly server: XdsServer;
  readonly #options: ProxiesOptions;
  readonly #secrets: WorkloadSecrets;
  readonly #origins = new Map<string, Origins>();
  readonly #configured = new Map<string, Configured>();

  constructor(options: ProxiesOptions) {
    this.#options = options;
    const { clock, root, certificateLifetime, metrics } = options;
    this.server = new XdsServer({ clock, onRefusal: options.onRefusal, observer: metrics });
    this.#secrets = new WorkloadSecrets({
      clock,
      root,
      lifetime: certificateLifetime,
      onRotate: (node) => this.server.refresh(node),
      observer: metrics,
    });
  }

  /** Translates for every pod with a proxy and puts the result in force. Returns the number of proxies concerned. */
  update(
    model: MeshModel,
    { pods, gateways, readinessOnly }: RunningPods,
    startedAt: number,
    onConverged: (convergence: Convergence) => void,
  ): number {
    const changes = new Map<string, NodeConfig | undefined>();
    for (const pod of pods) {
      const node = nodeOf(pod, gateways);
      if (node === undefined) continue;
      try {
        const config = (readinessOnly ? this.#withReadiness(model, node) : undefined) ?? this.#configure(model, node);
        const known = this.#configured.get(node.id);
        const before = known === undefined || sameShape(known.config, config) ? known?.before : known.config;
        this.#configured.set(node.id, { registry: model.registry, metadata: node.metadata, config, before });
        changes.set(node.id, config);
      } catch (error) {
        this.#options.onFailure(node.id, error);
      }
    }
    const present = new Set(pods.map((pod) => pod.node));
    for (const node of this.#origins.keys()) {
      if (present.has(node)) continue;
      changes.set(node, undefined);
      this.#origins.delete(node);
      this.#configured.delete(node);
      this.#secrets.forget(node);
    }
    return this.server.commit(changes, { startedAt, onConverged });
  }

  /** What every proxy has now, and what it would have with another model, made as it is asked for; nothing is sent. */
  preview(model: MeshModel, { pods, gateways }: Omit<RunningPods, 'readinessOnly'>): Iterable<PreviewedProxy> {
    const nodes = pods.flatMap((pod) => {
      const node = nodeOf(pod, gateways);
      return node === undefined ? [] : [{ node, before: this.#configured.get(node.id)?.config }];
    });
    return previewed(nodes, (node) => this.#options.translate(model, node).resources);
  }

  /** What every proxy has, with where each part of it came from. */
  origins(): { readonly node: string; readonly config: NodeConfig; readonly origins: Origins }[] {
    return [...this.#configured].flatMap(([node, { config }]) => {
      const origins = this.#origins.get(node);
      return origins === undefined ? [] : [{ node, config, origins }];
    });
  }

  /** What helps to find the line that a refusal is about. */
  evidence(node: string, refusal: Refusal): Evidence {
    const { config, before } = this.#configured.get(node) ?? {};
    return evidenceOf({ config, before, origins: this.#origins.get(node) }, refusal);
  }

  /** Version of Mizzen that started each connected proxy. */
  *versions(): Generator<string> {
    for (const node of this.server.connected())
      yield this.#configured.get(node)?.metadata.MIZZEN_VERSION ?? UNKNOWN_VERSION;
  }

  /** With the line behind each refusal, where that can be told. */
  status(locate: Locate): ProxyState[] {
    return this.server.status().map((proxy) => ({ ...proxy, refusals: this.#withOrigins(proxy, locate) }));
  }

  /** Every proxy with what it is to have, was sent and has answered. */
  debug(locate: Locate): DebugProxy[] {
    return this.status(locate).map(({ node, connected, refusals }) => ({
      node: { id: node, metadata: this.#configured.get(node)?.metadata ?? {} },
      connected,
      config: this.server.config(node),
      sync: this.server.sync(node),
      refusals,
    }));
  }

  #withOrigins({ node, refusals }: ProxyStatus, locate: Locate): ProxyState['refusals'] {
    return refusals.map((refusal) => {
      const origin = refusalOrigin(refusal, this.evidence(node, refusal), locate);
      return origin === undefined ? refusal : { ...refusal, origin };
    });
  }

  /** Certificates that proxies have. */
  certificates(): HeldCertificate[] {
    return this.#secrets.held();
  }

  /** New certificates for all, now. */
  rotateCertificates(): void {
    this.#secrets.rotate();
  }

  close(): void {
    this.#secrets.close();
  }

  #withReadiness(model: MeshModel, node: Node): NodeConfig | undefined {
    const config = this.#configured.get(node.id)?.config;
    const endpoints = config && this.#options.translateReadiness(model, node);
    return endpoints && { ...config, endpoints };
  }

  #configure(model: MeshModel, node: Node): NodeConfig {
    const { resources, origins } = this.#options.translate(model, node);
    this.#origins.set(node.id, origins);
    const known = this.#configured.get(node.id);
    // Nothing differs, and secrets come from what the registry stands for.
    if (
      known?.registry === model.registry &&
      known.metadata === node.metadata &&
      sameResources(known.config, resources)
    ) {
      return known.config;
    }
    const identity: Identity = {
      trustDomain: model.trustDomain,
      namespace: node.metadata.NAMESPACE ?? 'default',
      serviceAccount: node.metadata.SERVICE_ACCOUNT ?? 'default',
    };
    return { ...resources, secret: (name, have) => this.#secret(model, node.id, identity, name, have) };
  }

  #secret(model: MeshModel, node: string, identity: Identity, name: string, have: string | undefined): SecretAnswer {
    const credential = credentialOf(model.snapshot, identity.namespace, name) ?? resolveFileSecret(name);
    if (credential === undefined) return this.#secrets.resolve(node, identity, name, have);
    if (!('secret' in credential)) return undefined;
    return {
      version: hash('sha256', JSON.stringify(credential.secret), 'base64url').slice(0, 22),
      secret: credential.secret,
    };
  }
}

const UNKNOWN_VERSION = 'unknown';

interface Configured {
  readonly registry: MeshModel['registry'];
  readonly metadata: NodeMetadata;
  readonly config: NodeConfig;
  /** Of the last time that something beside endpoints was another. */
  readonly before: NodeConfig | undefined;
}

/**
 * A pod's proxy as it describes itself. Where a gateway listens follows the Gateway resources of now, not those of when
 * the pod was started.
 */
function nodeOf(pod: PodStatus, gateways: readonly DesiredWorkload[]): Node | undefined {
  if (pod.node === undefined || pod.nodeMetadata === undefined) return undefined;
  const metadata = pod.nodeMetadata as NodeMetadata;
  const desired = gateways.find(
    ({ owner }) => owner.name === pod.owner.name && owner.namespace === pod.owner.namespace,
  );
  const gateway = metadata.MIZZEN?.gateway;
  if (desired?.gatewayPorts === undefined || gateway === undefined) return { id: pod.node, metadata };
  const MIZZEN = { ...metadata.MIZZEN, gateway: { ...gateway, ports: desired.gatewayPorts } };
  return { id: pod.node, metadata: { ...metadata, MIZZEN } };
}
