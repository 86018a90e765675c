import { Problem } from './problem.ts';

/** Headers that tie a request to the one that caused it; the mesh starts them, services pass them on. */
const PASSED_ON = [
  'x-request-id',
  'traceparent',
  'tracestate',
  'b3',
  'x-b3-traceid',
  'x-b3-spanid',
  'x-b3-parentspanid',
  'x-b3-sampled',
  'x-b3-flags',
  'x-user',
];

export interface Client {
  /** Sends JSON; resolves with the answer whatever its status. Throws a Problem (502) when there is no answer at all. */
  send(
    method: string,
    path: string,
    options?: { body?: unknown; headers?: Record<string, string> },
  ): Promise<{ status: number; json: unknown }>;
}

/** A client of another service. Retries, timeouts and encryption are the mesh's business, so there are none here. */
export function client(baseUrl: string, cause: { header(name: string): string | undefined }): Client {
  const passedOn: Record<string, string> = {};
  for (const name of PASSED_ON) {
    const value = cause.header(name);
    if (value !== undefined) passedOn[name] = value;
  }
  return {
    async send(method, path, { body, headers = {} } = {}) {
      const url = new URL(path, baseUrl);
      try {
        const sent: Record<string, string> = { ...passedOn, ...headers };
        const init: RequestInit = { method, headers: sent };
        if (body !== undefined) {
          sent['content-type'] = 'application/json';
          init.body = JSON.stringify(body);
        }
        const response = await fetch(url, init);
        const text = await response.text();
        const isJson = response.headers.get('content-type')?.includes('json') === true;
        return { status: response.status, json: isJson ? (JSON.parse(text) as unknown) : text };
      } catch (error) {
        throw new Problem(
          502,
          'Bad Gateway',
          `${url.host} did not answer: ${error instanceof Error ? error.message : String(error)}`,
        );
      }
    },
  };
}
