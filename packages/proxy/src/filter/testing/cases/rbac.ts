import { any, filter, rbac, type FilterCase } from './case.ts';

const header = (name: string, stringMatch: object, more: object = {}): object => ({
  header: { name, stringMatch, ...more },
});

const path = (stringMatch: object): object => ({ urlPath: { path: stringMatch } });

const range = (addressPrefix: string, prefixLen: number): object => ({ addressPrefix, prefixLen });

export const RBAC_CASES: readonly FilterCase[] = [
  {
    name: 'rbac: what is asked for',
    filters: [
      rbac('ALLOW', {
        'a method': { permissions: [header(':method', { exact: 'POST' })], principals: any },
        path: { permissions: [path({ prefix: '/open' })], principals: any },
        both: {
          permissions: [
            {
              andRules: {
                rules: [
                  path({ exact: '/both' }),
                  { orRules: { rules: [header('x-a', { exact: '1' }), header('x-a', { suffix: 'z' })] } },
                ],
              },
            },
          ],
          principals: any,
        },
        not: {
          permissions: [
            { andRules: { rules: [path({ prefix: '/not' }), { notRule: header('x-a', { exact: '1' }) }] } },
          ],
          principals: any,
        },
        host: {
          permissions: [
            {
              andRules: {
                rules: [path({ prefix: '/host' }), header(':authority', { exact: 'Shop', ignoreCase: true })],
              },
            },
          ],
          principals: any,
        },
        template: {
          permissions: [
            {
              uriTemplate: {
                name: 't',
                typedConfig: {
                  '@type': 'type.googleapis.com/envoy.extensions.path.match.uri_template.v3.UriTemplateMatchConfig',
                  pathTemplate: '/t/*/end',
                },
              },
            },
          ],
          principals: any,
        },
        regex: { permissions: [path({ safeRegex: { regex: '/re/[a-z]+' } })], principals: any },
        ports: {
          permissions: [
            {
              andRules: {
                rules: [
                  path({ prefix: '/port' }),
                  { destinationPortRange: { start: 1, end: 65535 } },
                  { notRule: { destinationPort: 1 } },
                  { destinationIp: range('127.0.0.0', 8) },
                ],
              },
            },
          ],
          principals: any,
        },
        sni: {
          permissions: [{ andRules: { rules: [path({ prefix: '/sni' }), { requestedServerName: { exact: '' } }] } }],
          principals: any,
        },
      }),
    ],
    ask: [
      'POST /x h',
      'GET /x h',
      'GET /open/a h',
      'GET /ope h',
      'GET /open?x h',
      'GET /both h\nx-a: 1',
      'GET /both h\nx-a: 2',
      'GET /both?q h\nx-a: z',
      'GET /both h\nx-a: 0\nx-a: 1',
      'GET /not h',
      'GET /not h\nx-a: 1',
      'GET /not h\nx-a: 1\nx-a: 2',
      'GET /not h\nx-a: 1,2',
      'GET /host shop',
      'GET /host other',
      'GET /t/1/end h',
      'GET /t/1/2/end h',
      'GET /re/abc?x=/re/1 h',
      'GET /re/1 h',
      'GET /port h',
      'GET /sni h',
    ],
  },
  {
    name: 'rbac: who asks',
    filters: [
      rbac('DENY', {
        'z network': {
          permissions: any,
          principals: [
            { andIds: { ids: [{ directRemoteIp: range('127.0.0.0', 8) }, header('x-deny', { exact: 'direct' })] } },
          ],
        },
        'b remote': {
          permissions: any,
          principals: [
            { andIds: { ids: [{ remoteIp: range('10.0.0.0', 8) }, header('x-deny', { exact: 'remote' })] } },
          ],
        },
        'a source': {
          permissions: any,
          principals: [{ andIds: { ids: [{ sourceIp: range('0.0.0.0', 0) }, header('x-deny', { exact: 'source' })] } }],
        },
        anonymous: {
          permissions: any,
          principals: [
            { andIds: { ids: [{ notId: { authenticated: {} } }, header('x-deny', { exact: 'anonymous' })] } },
          ],
        },
        named: {
          permissions: any,
          principals: [
            {
              andIds: {
                ids: [{ authenticated: { principalName: { exact: '' } } }, header('x-deny', { exact: 'named' })],
              },
            },
          ],
        },
        'two\twords': {
          permissions: any,
          principals: [
            { orIds: { ids: [header('x-deny', { exact: 'words' }), { urlPath: { path: { exact: '/words' } } }] } },
          ],
        },
        v6: {
          permissions: any,
          principals: [{ andIds: { ids: [{ directRemoteIp: range('::', 0) }, header('x-deny', { exact: 'v6' })] } }],
        },
      }),
    ],
    ask: [
      'GET / h',
      ...['direct', 'remote', 'source', 'anonymous', 'named', 'words', 'v6'].map((who) => `GET / h\nx-deny: ${who}`),
      'GET /words h',
    ],
  },
  { name: 'rbac: nothing allowed', filters: [filter('rbac.v3.RBAC', { rules: {} })], ask: ['GET / h'] },
  { name: 'rbac: no rules', filters: [filter('rbac.v3.RBAC', {})], ask: ['GET / h'] },
  { name: 'rbac: deny without policies', filters: [rbac('DENY', {})], ask: ['GET / h'] },
  {
    name: 'rbac: the route’s own rules',
    filters: [rbac('DENY', { all: { permissions: any, principals: any } })],
    perRoute: {
      'envoy.filters.http.rbac': {
        '@type': 'type.googleapis.com/envoy.extensions.filters.http.rbac.v3.RBACPerRoute',
        rbac: { rules: { policies: { some: { permissions: [path({ exact: '/some' })], principals: any } } } },
      },
    },
    ask: ['GET /some h', 'GET /other h'],
  },
  {
    name: 'rbac: off for the route',
    filters: [rbac('DENY', { all: { permissions: any, principals: any } })],
    perRoute: {
      'envoy.filters.http.rbac': { '@type': 'type.googleapis.com/envoy.extensions.filters.http.rbac.v3.RBACPerRoute' },
    },
    ask: ['GET /some h'],
  },
];
