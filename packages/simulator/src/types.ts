import type { TraceStep } from '@mizzen/proxy/types.ts';
import type {
  ClusterProgram,
  EndpointsProgram,
  ListenerProgram,
  RouteConfigProgram,
} from '@mizzen/proxy/program/types.ts';

/** Everything one proxy has in force, compiled. */
export interface NodePrograms {
  /** Envoy node id. */
  readonly node: string;
  /** What a person calls it: the workload. */
  readonly label: string;
  /** Its identity, `spiffe://…`; undefined: it has no certificate. */
  readonly identity: string | undefined;
  /** Address its connections come from. */
  readonly address: string;
  readonly listeners: readonly ListenerProgram[];
  /** By name. */
  readonly routes: ReadonlyMap<string, RouteConfigProgram>;
  readonly clusters: ReadonlyMap<string, ClusterProgram>;
  /** By EDS service name. */
  readonly endpoints: ReadonlyMap<string, EndpointsProgram>;
}

export interface SimulatedRequest {
  readonly method: string;
  /** With its query. */
  readonly path: string;
  /** `host:port` as it was asked for. */
  readonly authority: string;
  readonly headers: readonly (readonly [name: string, value: string])[];
  /** Where it enters the client's proxy: an address a listener is bound to. */
  readonly enter: { readonly address: string; readonly port: number };
  /** Who connects to the client's proxy; its own application by default. */
  readonly from?: { readonly address: string };
}

/** One step of a request's way. `node` says whose configuration `xds` is in. */
export interface Step extends TraceStep {
  readonly side: 'client' | 'server';
  readonly node: string;
}

export interface Verdict {
  /** The request reaches an application (or leaves for a host that no proxy stands before). */
  readonly reached: boolean;
  /** What the client gets when a proxy answers; undefined when an application does, or when a connection is closed. */
  readonly status: number | undefined;
  readonly body: string;
  /** Envoy's response flags, `-` for none. */
  readonly flags: string;
  readonly details: string;
  /** One sentence. */
  readonly text: string;
}

export interface Explanation {
  readonly request: SimulatedRequest;
  readonly client: string;
  /** Whose proxy took the request at the other end, if any did. */
  readonly server: string | undefined;
  readonly steps: readonly Step[];
  readonly verdict: Verdict;
}
