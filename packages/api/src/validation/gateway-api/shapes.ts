import { fields, list } from '../shape.ts';
import type { Shape } from '../shape.ts';

const PAIRS = list(fields({ name: 'string', value: 'string' }));
const HEADERS = fields({ set: PAIRS, add: PAIRS, remove: list('string') });
const REFERENCE = { group: 'string', kind: 'string', name: 'string', namespace: 'string', port: 'integer' } as const;
const NAMED = list(fields({ type: ['Exact', 'RegularExpression'], name: 'string', value: 'string' }));
const PATH = fields({
  type: ['ReplaceFullPath', 'ReplacePrefixMatch'],
  replaceFullPath: 'string',
  replacePrefixMatch: 'string',
});
const FILTERS: Shape = list(
  fields({
    type: 'string',
    requestHeaderModifier: HEADERS,
    responseHeaderModifier: HEADERS,
    requestMirror: fields({
      backendRef: fields(REFERENCE),
      percent: 'integer',
      fraction: fields({ numerator: 'integer', denominator: 'integer' }),
    }),
    requestRedirect: fields({
      scheme: ['http', 'https'],
      hostname: 'string',
      path: PATH,
      port: 'integer',
      statusCode: 'integer',
    }),
    urlRewrite: fields({ hostname: 'string', path: PATH }),
    cors: fields({
      allowOrigins: list('string'),
      allowCredentials: 'boolean',
      allowMethods: list('string'),
      allowHeaders: list('string'),
      exposeHeaders: list('string'),
      maxAge: 'integer',
    }),
  }),
);

export const HTTP_ROUTE = fields({
  parentRefs: list(fields({ ...REFERENCE, sectionName: 'string' })),
  hostnames: list('string'),
  rules: list(
    fields({
      name: 'string',
      matches: list(
        fields({
          path: fields({ type: ['Exact', 'PathPrefix', 'RegularExpression'], value: 'string' }),
          headers: NAMED,
          queryParams: NAMED,
          method: ['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'CONNECT', 'OPTIONS', 'TRACE', 'PATCH'],
        }),
      ),
      filters: FILTERS,
      backendRefs: list(fields({ ...REFERENCE, weight: 'integer', filters: FILTERS })),
      timeouts: fields({ request: 'string', backendRequest: 'string' }),
      retry: fields({ codes: list('integer'), attempts: 'integer', backoff: 'string' }),
    }),
  ),
});
