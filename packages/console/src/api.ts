/** What the runtime's API answers with (docs/reference/http-api.md), as far as it is shown here. */

export type Health = 'healthy' | 'degraded' | 'failing' | 'idle';

export interface Graph {
  readonly window: number;
  readonly nodes: readonly GraphNode[];
  readonly edges: readonly GraphEdge[];
}

export interface GraphNode {
  readonly id: string;
  readonly kind: 'workload' | 'gateway' | 'service' | 'external';
  readonly namespace: string;
  readonly name: string;
  readonly app: string;
  readonly version: string;
  readonly replicas: number;
  readonly ready: number;
  readonly state: string;
  readonly sidecar: boolean;
  readonly engine: 'mizzen' | 'envoy' | '';
  readonly health: Health;
  readonly requestRate: number;
  readonly errorRate: number;
}

export interface GraphEdge {
  readonly id: string;
  readonly source: string;
  readonly target: string;
  readonly service: string;
  readonly port: number;
  readonly protocol: string;
  readonly mtls: boolean;
  readonly requestRate: number;
  readonly errorRate: number;
  readonly health: Health;
  readonly p50: number | null;
  readonly p99: number | null;
  readonly latencyShared: boolean;
}

export interface Workload {
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  readonly version: string;
  readonly replicas: number;
  readonly ready: number;
  readonly gateway: boolean;
  readonly standIn: boolean;
  readonly engine: string;
  readonly serviceAccount: string;
  readonly identity: string;
  readonly inboundRequests: number;
  readonly outboundRequests: number;
  readonly state: string;
  readonly containers: readonly string[];
  readonly pods: readonly Pod[];
}

export interface Pod {
  readonly name: string;
  readonly phase: string;
  readonly ready: boolean;
  readonly restarts: number;
  readonly message: string;
  readonly address: string;
  readonly node: string;
}

export interface ConfigStatus {
  readonly paths: readonly string[];
  readonly files: readonly string[];
  readonly resources: readonly ConfigResource[];
  readonly diagnostics: readonly Diagnostic[];
  readonly proxies: readonly ProxyStatus[];
}

export interface ConfigResource {
  readonly apiVersion: string;
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  readonly source: string;
  readonly state: 'in force' | 'last good' | 'refused';
}

export interface Diagnostic {
  readonly code: string;
  readonly severity: string;
  readonly message: string;
  readonly file: string;
  readonly line: number;
  readonly column: number;
  readonly help: string;
}

export interface ProxyStatus {
  readonly node: string;
  readonly namespace: string;
  readonly pod: string;
  readonly connected: boolean;
  /** By `cluster`, `listener` and so on, what has become of what was sent. */
  readonly types: Readonly<Record<string, string>>;
  readonly refusals: readonly {
    readonly type: string;
    readonly resource: string;
    readonly field: string;
    readonly message: string;
    readonly source: string;
  }[];
}

/** A failure to get an answer, in words for a person. */
export class ApiFailure extends Error {
  /** Stable; empty where nothing answered. */
  readonly code: string;

  constructor(message: string, { code = '', cause }: { readonly code?: string; readonly cause?: unknown } = {}) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
  }
}

export function get<T>(path: string, signal?: AbortSignal, token = ''): Promise<T> {
  return ask<T>(path, { ...(signal === undefined ? {} : { signal }), ...withToken(token) });
}

/** What changes something, or is long. */
export function post<T>(path: string, body: object, token: string, signal?: AbortSignal): Promise<T> {
  const init = { method: 'POST', body: JSON.stringify(body), ...withToken(token) };
  return ask<T>(path, signal === undefined ? init : { ...init, signal });
}

function withToken(token: string): RequestInit {
  return token === '' ? {} : { headers: { authorization: `Bearer ${token}` } };
}

async function ask<T>(path: string, init: RequestInit): Promise<T> {
  let response: Response;
  try {
    response = await fetch(path, init);
  } catch (error) {
    if (init.signal?.aborted === true) throw error;
    throw new ApiFailure('the mesh does not answer', { cause: error });
  }
  const body: unknown = await response.json().catch(() => undefined);
  if (!response.ok) {
    const { error } = (body ?? {}) as { readonly error?: { readonly code?: string; readonly message?: string } };
    throw new ApiFailure(error?.message ?? `the mesh answered ${response.status}`, { code: error?.code ?? '' });
  }
  return body as T;
}
