import type { Ref } from '@mizzen/diagnostics';
import { TypeUrl } from '@mizzen/xds';
import type { Root } from '../ca/root.ts';
import type { Clock } from '../clock.ts';
import type { Refusal } from '../xds/types.ts';
import type { CertificateObserver, XdsObserver } from './observer.ts';
import { Registry } from './registry.ts';

/** Of types by their short names, as istiod labels them. */
const SHORT: Readonly<Record<string, string>> = {
  [TypeUrl.cluster]: 'cds',
  [TypeUrl.endpoint]: 'eds',
  [TypeUrl.listener]: 'lds',
  [TypeUrl.route]: 'rds',
  [TypeUrl.secret]: 'sds',
  [TypeUrl.extension]: 'ecds',
};
const shortOf = (typeUrl: string): string => SHORT[typeUrl] ?? 'unknown';

/** What istiod takes of Kubernetes itself, as it labels it: its registry of services. */
const REGISTRY: Readonly<Record<string, string>> = { Service: 'Services', Pod: 'Pods', Node: 'Nodes' };
/** Whose kinds are configuration to it. */
const CONFIGURATION = /^([a-z]+\.istio\.io|gateway\.networking\.k8s\.io)\//;

/** What came, changed and went. */
export interface ChangedResources {
  readonly added: readonly Ref[];
  readonly modified: readonly Ref[];
  readonly removed: readonly Ref[];
}

const SECONDS = [0.01, 0.1, 1, 3, 5, 10, 20, 30];
const SIZES = [1, 10_000, 1_000_000, 4_000_000, 10_000_000, 40_000_000];

/** What there is, asked for when somebody reads the metrics. */
export interface Inventory {
  /** Version that each connected proxy says it has. */
  readonly versions: () => Iterable<string>;
  /** What proxies refuse now, with their nodes. */
  readonly refusals: () => Iterable<readonly [node: string, refusal: Refusal]>;
  readonly services: () => number;
  readonly virtualServices: () => number;
  /** Resources that were not taken into force as they are written now. */
  readonly rejected: () => Iterable<readonly [kind: string, name: string]>;
}

export interface ControlPlaneMetricsOptions {
  readonly clock: Clock;
  readonly root: Root;
  /** Of Mizzen itself. */
  readonly version: string;
}

/** A control plane's metrics, by the names that istiod has for them. */
export class ControlPlaneMetrics implements XdsObserver, CertificateObserver {
  readonly registry = new Registry();
  readonly #pushes;
  readonly #rejects;
  readonly #expired;
  readonly #pushTime;
  readonly #sizes;
  readonly #convergence;
  readonly #updates;
  readonly #triggers;
  readonly #configEvents;
  readonly #registryEvents;
  readonly #modelTime;
  readonly #requests;
  readonly #issued;
  readonly #failures;
  #inventory: Inventory | undefined;

  constructor({ clock, root, version }: ControlPlaneMetricsOptions) {
    const { registry } = this;
    registry.gauge({ name: 'pilot_info', help: 'Version of the control plane.', labels: ['version'] }, () => [
      [[version], 1],
    ]);
    const build = { name: 'istio_build', help: 'Version of a component.', labels: ['component', 'tag'] };
    registry.gauge(build, () => [[['pilot', version], 1]]);
    this.#addInventory();
    this.#pushes = registry.counter({
      name: 'pilot_xds_pushes',
      help: 'Responses sent to proxies, by type.',
      labels: ['type'],
    });
    this.#rejects = registry.counter({
      name: 'pilot_total_xds_rejects',
      help: 'Responses that proxies refused, by type.',
      labels: ['type'],
    });
    this.#expired = registry.counter({
      name: 'pilot_xds_expired_nonce',
      help: 'Answers of proxies to responses that were not the last ones, by type.',
      labels: ['type'],
    });
    this.#pushTime = registry.histogram(
      { name: 'pilot_xds_push_time', help: 'Seconds it takes to work out and send a response.', labels: ['type'] },
      SECONDS,
    );
    this.#sizes = registry.histogram(
      { name: 'pilot_xds_config_size_bytes', help: 'Sizes of responses.', labels: ['type'] },
      SIZES,
    );
    this.#convergence = registry.histogram(
      {
        name: 'pilot_proxy_convergence_time',
        help: 'Seconds from a change until a proxy has answered all that it is sent because of it.',
      },
      [0.1, 0.5, 1, 3, 5, 10, 20, 30],
    );
    this.#modelTime = registry.histogram(
      { name: 'pilot_pushcontext_init_seconds', help: 'Seconds it takes to build the model of the mesh.' },
      [0.01, 0.1, 0.5, 1, 3, 5],
    );
    this.#triggers = registry.counter({
      name: 'pilot_push_triggers',
      help: 'Changes that proxies may have to be told of, by reason.',
      labels: ['type'],
    });
    this.#updates = registry.counter({
      name: 'pilot_inbound_updates',
      help: 'Updates received from sources of configuration and of endpoints.',
      labels: ['type'],
    });
    const events = (name: string, help: string) => registry.counter({ name, help, labels: ['type', 'event'] });
    this.#configEvents = events('pilot_k8s_cfg_events', 'Resources of Istio and of the Gateway API that changed.');
    this.#registryEvents = events('pilot_k8s_reg_events', 'Services, pods and nodes that changed.');
    this.#requests = registry.counter({
      name: 'citadel_server_csr_count',
      help: 'Certificate signing requests received.',
    });
    this.#issued = registry.counter({
      name: 'citadel_server_success_cert_issuance_count',
      help: 'Certificates issued.',
    });
    const failures = (name: string, help: string) => registry.counter({ name: `citadel_server_${name}_count`, help });
    this.#failures = {
      authentication: failures('authentication_failure', 'Requests for certificates without a proof of identity.'),
      parsing: failures('csr_parsing_err', 'Certificate signing requests that cannot be read.'),
      signing: failures('csr_sign_err', 'Certificates that could not be signed.'),
    };
    const expiry = (name: string, help: string, left: boolean): void =>
      registry.gauge({ name: `citadel_server_${name}`, help }, () => {
        const end = root.certificate.validToDate.getTime();
        return [[[], (left ? end - clock.wall() : end) / 1000]];
      });
    expiry('root_cert_expiry_timestamp', 'When the root certificate expires, in seconds since the epoch.', false);
    expiry('root_cert_expiry_seconds', 'Seconds until the root certificate expires.', true);
    // The root signs the certificates of workloads itself, so that it is the chain.
    expiry('cert_chain_expiry_timestamp', 'When the signing certificate expires, in seconds since the epoch.', false);
    expiry('cert_chain_expiry_seconds', 'Seconds until the signing certificate expires.', true);
  }

  /** Where the numbers come from that are read and not counted. */
  follow(inventory: Inventory): void {
    this.#inventory = inventory;
  }

  onSent(typeUrl: string, bytes: number, milliseconds: number): void {
    const type = [shortOf(typeUrl)];
    this.#pushes.add(type);
    this.#sizes.observe(bytes, type);
    this.#pushTime.observe(milliseconds / 1000, type);
  }
  onRefused(typeUrl: string): void {
    this.#rejects.add([shortOf(typeUrl)]);
  }
  onExpiredNonce(typeUrl: string): void {
    this.#expired.add([shortOf(typeUrl)]);
  }
  onConverged(milliseconds: number): void {
    this.#convergence.observe(milliseconds / 1000);
  }
  /** Something changed: resources (`config`), pods (`eds`) or a proxy that came (`proxy`). */
  onChange(reason: 'config' | 'endpoint' | 'proxy'): void {
    this.#triggers.add([reason]);
    if (reason !== 'proxy') this.#updates.add([reason === 'endpoint' ? 'eds' : 'config']);
  }
  /** Of sources of configuration; the first time all that there is. */
  onResources({ added, modified, removed }: ChangedResources): void {
    for (const [event, refs] of [
      ['add', added],
      ['update', modified],
      ['delete', removed],
    ] as const) {
      for (const { apiVersion, kind } of refs) {
        const type = apiVersion === 'v1' ? REGISTRY[kind] : undefined;
        if (type !== undefined) this.#registryEvents.add([type, event]);
        else if (CONFIGURATION.test(apiVersion)) this.#configEvents.add([kind, event]);
      }
    }
  }
  onModel(milliseconds: number): void {
    this.#modelTime.observe(milliseconds / 1000);
  }
  onRequest(): void {
    this.#requests.add();
  }
  onIssued(): void {
    this.#issued.add();
  }
  onFailure(reason: 'authentication' | 'parsing' | 'signing'): void {
    this.#failures[reason].add();
  }

  text(): string {
    return this.registry.text();
  }

  #addInventory(): void {
    const { registry } = this;
    registry.gauge({ name: 'pilot_xds', help: 'Proxies that are connected, by version.', labels: ['version'] }, () =>
      [...(this.#inventory?.versions() ?? [])].map((version) => [[version], 1]),
    );
    registry.gauge({ name: 'pilot_services', help: 'Services that are known.' }, () => [
      [[], this.#inventory?.services() ?? 0],
    ]);
    registry.gauge({ name: 'pilot_virt_services', help: 'VirtualServices that are known.' }, () => [
      [[], this.#inventory?.virtualServices() ?? 0],
    ]);
    const rejected = {
      name: 'pilot_total_rejected_configs',
      help: 'Resources that are not in force as they are written now.',
      labels: ['type', 'name'],
    };
    registry.gauge(rejected, () => [...(this.#inventory?.rejected() ?? [])].map((which) => [which, 1]));
    for (const [typeUrl, type] of Object.entries(SHORT)) {
      const about = {
        name: `pilot_xds_${type}_reject`,
        help: `Resources of type ${type} that proxies refuse now.`,
        labels: ['node', 'err'],
      };
      registry.gauge(about, () =>
        [...(this.#inventory?.refusals() ?? [])]
          .filter(([, refusal]) => refusal.typeUrl === typeUrl)
          // The status with which an Envoy refuses: whatever else it says is in no bounds.
          .map(([node]) => [[node, 'Internal'], 1]),
      );
    }
  }
}
