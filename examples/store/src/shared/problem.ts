import type { ContentfulStatusCode } from 'hono/utils/http-status';

/** An error a client can act on, sent as RFC 9457 problem details. */
export class Problem extends Error {
  readonly status: ContentfulStatusCode;
  readonly title: string;
  readonly extra: Readonly<Record<string, unknown>>;

  constructor(
    status: ContentfulStatusCode,
    title: string,
    detail: string,
    extra: Readonly<Record<string, unknown>> = {},
  ) {
    super(detail);
    this.status = status;
    this.title = title;
    this.extra = extra;
  }

  response(instance: string): Response {
    const body = {
      type: 'about:blank',
      title: this.title,
      status: this.status,
      detail: this.message,
      instance,
      ...this.extra,
    };
    return Response.json(body, { status: this.status, headers: { 'content-type': 'application/problem+json' } });
  }
}

export function notFound(what: string, id: string): Problem {
  return new Problem(404, 'Not Found', `there is no ${what} ${id}`);
}
