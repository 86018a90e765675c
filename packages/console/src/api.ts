import type { ConfigStatusAnswer, GraphAnswer, WorkloadAnswer } from './gen/answers.ts';

/** Names for what several pages show of the API's answers, whose schemas are in docs/reference/schemas. */
export type Graph = GraphAnswer;
export type GraphNode = Graph['nodes'][number];
export type GraphEdge = Graph['edges'][number];
export type Health = GraphNode['health'];

export type Workload = WorkloadAnswer;

export type ConfigStatus = ConfigStatusAnswer;
export type ConfigResource = ConfigStatus['resources'][number];
export type Diagnostic = ConfigStatus['diagnostics'][number];
export type ProxyStatus = ConfigStatus['proxies'][number];

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
