import type { Diagnostic, Ref } from '@mizzen/diagnostics';
import type { JsonObject } from '@mizzen/xds';
import type { k8s } from '@mizzen/api';
import type { RuntimePod } from '@mizzen/model';

/**
 * Messages between `mizzen up` (the supervisor: starts, watches and restarts processes, decides addresses and ports) and
 * the control process (reads files, decides what should run, serves xDS and the API). Node IPC. The supervisor is the
 * authority on pods that run, so a new control process learns them from its first message.
 */
export type ToControl =
  | { readonly type: 'pods'; readonly pods: readonly PodStatus[] }
  | { readonly type: 'counts'; readonly nodes: readonly { readonly node: string; readonly inbound: number; readonly outbound: number }[] }
  | { readonly type: 'shutdown' };

export type FromControl =
  /** What should run now. Sent at start and whenever it changes. */
  | { readonly type: 'desired'; readonly workloads: readonly DesiredWorkload[]; readonly gateways: readonly DesiredWorkload[] }
  | { readonly type: 'listening'; readonly api: string; readonly xds: string }
  /** A change of files was read: what changed, what was refused. */
  | { readonly type: 'change'; readonly changed: readonly string[]; readonly diagnostics: readonly Diagnostic[]; readonly rendered: readonly string[] }
  /** Every proxy that the change concerns has acknowledged it. */
  | { readonly type: 'converged'; readonly proxies: number; readonly milliseconds: number }
  | { readonly type: 'nack'; readonly node: string; readonly resource: string; readonly message: string }
  | { readonly type: 'notice'; readonly text: string }
  /** A person asked through the API. */
  | { readonly type: 'command'; readonly id: string; readonly command: 'scale' | 'restart' | 'stop'; readonly workload?: string; readonly namespace?: string; readonly replicas?: number };

/** One Deployment, StatefulSet, Pod or gateway that should run, with everything resolved that needs the Snapshot. */
export interface DesiredWorkload {
  readonly owner: Pick<Ref, 'kind' | 'namespace' | 'name'>;
  readonly replicas: number;
  /** Changes when the pod template (or what it references) does: pods of another hash are replaced. */
  readonly templateHash: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly serviceAccount: string;
  readonly version: string;
  readonly sidecar: boolean;
  readonly containers: readonly DesiredContainer[];
  readonly terminationGracePeriodSeconds: number;
  readonly strategy: { readonly type: 'RollingUpdate' | 'Recreate'; readonly maxSurge: number | string; readonly maxUnavailable: number | string };
  /** Gateways only: server ports → local ports. */
  readonly gatewayPorts?: Readonly<Record<number, number>>;
  /** `host:port` values in the environment that need an outbound listener because they are not HTTP. */
  readonly tcpDestinations: readonly { readonly host: string; readonly port: number; readonly service: string }[];
  /** Service environment variables (`<SVC>_SERVICE_HOST`, …) with the address to give per pod left to the supervisor. */
  readonly serviceEnvironment: Readonly<Record<string, string>>;
}

export interface DesiredContainer {
  readonly name: string;
  readonly ports: readonly { readonly name: string | undefined; readonly port: number }[];
  readonly run:
    | { readonly kind: 'command'; readonly command: readonly string[] | string; readonly dir: string; readonly watch: readonly string[] }
    | { readonly kind: 'external' }
    | { readonly kind: 'stand-in' };
  /** In Kubernetes' order; `fieldRef` of the pod's own address and name are left as `{ field }`. */
  readonly env: readonly { readonly name: string; readonly value: string | { readonly field: string } }[];
  readonly readiness: k8s.Probe | undefined;
  readonly liveness: k8s.Probe | undefined;
  readonly startup: k8s.Probe | undefined;
  readonly preStop: readonly string[] | undefined;
}

export type PodPhase = 'Pending' | 'Starting' | 'Running' | 'CrashLoopBackOff' | 'Terminating' | 'External';

export interface PodStatus extends RuntimePod {
  readonly phase: PodPhase;
  readonly restarts: number;
  readonly templateHash: string;
  /** Node id and metadata of its sidecar (or of itself, for a gateway). */
  readonly node: string | undefined;
  readonly nodeMetadata: JsonObject | undefined;
  readonly standIn: boolean;
  readonly message: string | undefined;
  /** Container name → port name or number → local port of the application. */
  readonly applicationPorts: Readonly<Record<number, number>>;
}
