import type { Diagnostic, Ref } from '@mizzen/diagnostics';
import type { Bootstrap, JsonObject } from '@mizzen/xds';
import type { k8s } from '@mizzen/api';
import type { RuntimePod } from '@mizzen/model';
import type { NodeTraffic } from '@mizzen/proxy/process/protocol.ts';
import type { Engine } from '@mizzen/translator';
import type { SentWorkloads } from './desired.ts';

/**
 * Messages between `mizzen up` (the supervisor: starts, watches and restarts processes, decides addresses and ports) and
 * the control process (reads files, decides what should run, serves xDS and the API). Node IPC. The supervisor is the
 * authority on pods that run, so a new control process learns them from its first message.
 */
export type ToControl =
  /** Always the first message. */
  | { readonly type: 'configure'; readonly options: ControlOptions }
  /** All pods, whenever one changes. `sequence` counts up; see `pods-converged`. */
  | {
      readonly type: 'pods';
      readonly pods: readonly PodStatus[];
      readonly sequence?: number;
      readonly proxies?: readonly ProxyProcess[];
    }
  | {
      readonly type: 'counts';
      readonly nodes: readonly { readonly node: string; readonly inbound: number; readonly outbound: number }[];
    }
  /** What proxies sent since the last time. */
  | { readonly type: 'traffic'; readonly nodes: readonly NodeTraffic[] }
  /** Answers a `command`: done (or under way), or why not. */
  | {
      readonly type: 'command-result';
      readonly id: string;
      readonly error?: { readonly code: 'not-found' | 'ambiguous' | 'invalid'; readonly message: string };
    }
  /** Workloads as the terminal sees them: replicas asked for by `scale`, restarts under way. Whenever they change. */
  | { readonly type: 'workloads'; readonly workloads: readonly WorkloadStatus[] }
  | { readonly type: 'shutdown' };

/** What the control process needs to know to begin. Decided by `mizzen up` from its flags. */
export interface ControlOptions {
  /** Files and directories, as the person named them, relative to `cwd`. */
  readonly files: readonly string[];
  readonly cwd: string;
  readonly meshConfig: string | undefined;
  /** What the file `-` holds; the control process has no standard input. */
  readonly stdin?: string;
  /** Absolute. Mode 0700; the certificate authority and the like are kept under it. */
  readonly stateDir: string;
  /** Local xDS is served here: path of a unix socket, or a named pipe on Windows. A stale socket file may be there. */
  readonly xdsSocket: string;
  /** The same for ADS over gRPC, for real Envoys: path of a unix socket. */
  readonly adsSocket: string;
  /** The API listens on 127.0.0.1. */
  readonly apiPort: number;
  /** So does the console, here or, when another program does, on any free port; absent: there is none. */
  readonly consolePort?: number;
  /** All metrics are sent to this OTLP receiver, every `interval` milliseconds. */
  readonly otlpMetrics?: { readonly url: string; readonly interval: number };
  /** All spans that the mesh gets are sent to this one, as often as that says. */
  readonly otlpTraces?: { readonly url: string; readonly interval: number };
  /** Wanted by whoever changes something through the API, as `Authorization: Bearer`. Also in STATE-DIR/token. */
  readonly token: string;
  /** Gateway server port → local port, from `--gateway-port`; others below 1024 move up by 8000. */
  readonly gatewayPorts: Readonly<Record<number, number>>;
  readonly standIns: boolean;
  readonly inject: 'always' | 'labelled';
  /** What proxies are where no annotation says otherwise. */
  readonly engine: Engine;
  /** Life of a workload certificate in milliseconds; 24 hours unless given. */
  readonly certificateLifetime?: number;
  /** A mesh runs already: this process takes the place of one that died. What it cannot start with may pass. */
  readonly again?: true;
}

/** One row of the table. */
export interface WorkloadStatus {
  readonly owner: Pick<Ref, 'kind' | 'namespace' | 'name'>;
  readonly version: string;
  readonly replicas: number;
  readonly ready: number;
  readonly gateway: boolean;
  readonly standIn: boolean;
  /** What its proxies are; undefined without any. */
  readonly engine: Engine | undefined;
  readonly serviceAccount: string;
  readonly inboundRequests: number;
  readonly outboundRequests: number;
  /** In words, e.g. `running`, `starting`, `updating`, `CrashLoopBackOff`. */
  readonly state: string;
}

export type FromControl =
  /** What should run now. Sent at start and whenever it changes. */
  | ({ readonly type: 'desired' } & SentWorkloads)
  | { readonly type: 'listening'; readonly api: string; readonly xds: string; readonly console?: string }
  /**
   * A change of files was read: what came, changed and went, what was refused. `diagnostics` are all there are;
   * `rendered` is what is new of them, and what is gone.
   */
  | {
      readonly type: 'change';
      readonly added: readonly string[];
      readonly changed: readonly string[];
      readonly removed: readonly string[];
      readonly diagnostics: readonly Diagnostic[];
      readonly rendered: readonly string[];
    }
  /** Every proxy that the change concerns has answered; `refused` of them refuse something of it. */
  | {
      readonly type: 'converged';
      readonly proxies: number;
      readonly refused: number;
      readonly milliseconds: number;
    }
  /** Every proxy has the endpoints of the `pods` message with this sequence (or of a later one). */
  | { readonly type: 'pods-converged'; readonly sequence: number }
  /** Nothing can run (no readable file, unusable options): `mizzen up` prints this and exits with status 1. */
  | { readonly type: 'fatal'; readonly text: string }
  | { readonly type: 'nack'; readonly node: string; readonly resource: string; readonly message: string }
  | { readonly type: 'notice'; readonly text: string }
  /** A person asked through the API; answered by `command-result`. `workload` may also name a pod for `restart`. */
  | {
      readonly type: 'command';
      readonly id: string;
      readonly command: 'scale' | 'restart' | 'stop';
      readonly workload?: string;
      readonly namespace?: string;
      readonly replicas?: number;
    };

/** One Deployment, StatefulSet, Pod or gateway that should run, with everything resolved that needs the Snapshot. */
export interface DesiredWorkload {
  readonly owner: Pick<Ref, 'kind' | 'namespace' | 'name'>;
  readonly replicas: number;
  /** Changes when the pod template (or what it references) does: pods of another hash are replaced. */
  readonly templateHash: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  /** The application's metrics are not to be served with its sidecar's. */
  readonly mergeMetrics?: false;
  readonly serviceAccount: string;
  readonly version: string;
  readonly sidecar: boolean;
  /** What its sidecars are, or itself as a gateway; undefined without a proxy. */
  readonly engine: Engine | undefined;
  /** What EnvoyFilters add to what its Envoys are started with. */
  readonly bootstrap?: Bootstrap;
  readonly containers: readonly DesiredContainer[];
  readonly terminationGracePeriodSeconds: number;
  readonly strategy: {
    readonly type: 'RollingUpdate' | 'Recreate';
    readonly maxSurge: number | string;
    readonly maxUnavailable: number | string;
  };
  /** Gateways only: server ports → local ports. */
  readonly gatewayPorts?: Readonly<Record<number, number>>;
  /** Gateways only: server ports → protocol as the Gateway says (`HTTP`, `HTTPS`, `TLS`, `TCP`), to print URLs. */
  readonly gatewayProtocols?: Readonly<Record<number, string>>;
  /** Gateways only: server ports that are named for metrics, which nobody opens. */
  readonly gatewayMetrics?: readonly number[];
  /**
   * `host:port` values in the environment that need an outbound listener because they are not HTTP: `host` as written
   * there, `service` its full host name.
   */
  readonly tcpDestinations: readonly { readonly host: string; readonly port: number; readonly service: string }[];
  /**
   * Service environment variables (`<SVC>_SERVICE_HOST`, `<SVC>_SERVICE_PORT`, …) with the service's full host name
   * where its address goes; the supervisor puts the address of an outbound listener in its place if there is one.
   */
  readonly serviceEnvironment: Readonly<Record<string, string>>;
  /** Absent: Always. */
  readonly restartPolicy?: 'Always' | 'OnFailure' | 'Never';
}

/** Fields of a `fieldRef` that are left to the supervisor: metadata.name, metadata.uid, spec.nodeName, status.podIP(s), status.hostIP(s). */
export interface DesiredContainer {
  readonly name: string;
  readonly ports: readonly { readonly name: string | undefined; readonly port: number }[];
  readonly run:
    | {
        readonly kind: 'command';
        readonly command: readonly string[] | string;
        readonly dir: string;
        readonly watch: readonly string[];
        /** Programs that must be installed, for it is of no use to start without them. */
        readonly requires?: readonly string[];
        /** Runs in `dir` before the command does; what it makes goes into MIZZEN_BUILD_DIR. */
        readonly build?: readonly string[] | string;
      }
    | { readonly kind: 'external' }
    | { readonly kind: 'stand-in' };
  /** Appended to the command, each as one word; `$(VAR)` is expanded when it starts. */
  readonly args: readonly string[];
  /** In Kubernetes' order; `fieldRef` of the pod's own address and name are left as `{ field }`. */
  readonly env: readonly { readonly name: string; readonly value: string | { readonly field: string } }[];
  readonly readiness: k8s.Probe | undefined;
  readonly liveness: k8s.Probe | undefined;
  readonly startup: k8s.Probe | undefined;
  readonly preStop: readonly string[] | undefined;
}

export type PodPhase =
  | 'Pending'
  | 'Starting'
  | 'Running'
  | 'CrashLoopBackOff'
  | 'Terminating'
  | 'External'
  | 'Succeeded'
  | 'Failed';

/** A process that carries traffic: an Envoy that of one node, otherwise that of all the others. */
export interface ProxyProcess {
  readonly pid: number;
  readonly node?: string;
}

export interface ContainerStatus {
  readonly name: string;
  readonly ready: boolean;
  readonly restarts: number;
  /** The leader of its process group; undefined while it has none of its own. */
  readonly pid: number | undefined;
}

export interface PodStatus extends RuntimePod {
  readonly phase: PodPhase;
  readonly restarts: number;
  readonly containers?: readonly ContainerStatus[];
  readonly templateHash: string;
  /** Node id and metadata of its sidecar (or of itself, for a gateway). */
  readonly node: string | undefined;
  readonly nodeMetadata: JsonObject | undefined;
  readonly standIn: boolean;
  readonly message: string | undefined;
  /** Container name → port name or number → local port of the application. */
  readonly applicationPorts: Readonly<Record<number, number>>;
}
