/** Route configurations, and requests that tell apart what they do. */
const to = (cluster: string, more: object = {}): object => ({ route: { cluster, ...more } });
const host = (name: string, domains: string[], routes: object[], more: object = {}): object => ({
  name,
  domains,
  routes,
  ...more,
});
const prefix = (p: string, action: object, more: object = {}): object => ({ match: { prefix: p, ...more }, ...action });
const any = (routes: object[], more: object = {}): object => ({ virtualHosts: [host('all', ['*'], routes, more)] });
const exact = (value: string, more: object = {}): object => ({ stringMatch: { exact: value }, ...more });
const template = (pathTemplate: string): object => ({
  pathMatchPolicy: {
    name: 't',
    typedConfig: {
      '@type': 'type.googleapis.com/envoy.extensions.path.match.uri_template.v3.UriTemplateMatchConfig',
      pathTemplate,
    },
  },
});
const rewriteTo = (pathTemplateRewrite: string): object => ({
  pathRewritePolicy: {
    name: 'r',
    typedConfig: {
      '@type': 'type.googleapis.com/envoy.extensions.path.rewrite.uri_template.v3.UriTemplateRewriteConfig',
      pathTemplateRewrite,
    },
  },
});
const add = (key: string, value: string, appendAction = 'APPEND_IF_EXISTS_OR_ADD', more: object = {}): object => ({
  header: { key, value },
  appendAction,
  ...more,
});

/** `GET /path host` and fields, one a line. */
export type Ask = string;

export const CASES: readonly { readonly name: string; readonly config: object; readonly ask: readonly Ask[] }[] = [
  {
    name: 'virtual hosts',
    config: {
      virtualHosts: [
        host('exact', ['a.example.com', 'b.example.com:8080'], [prefix('/', to('exact'))]),
        host('suffix', ['*.example.com'], [prefix('/', to('suffix'))]),
        host('longer', ['*-x.example.com'], [prefix('/', to('longer'))]),
        host('prefix', ['www.*', 'www.exa*'], [prefix('/', to('prefix'))]),
        host('rest', ['*'], [prefix('/', to('rest'))]),
      ],
    },
    ask: [
      'GET / a.example.com',
      'GET / A.Example.COM',
      'GET / a.example.com:80',
      'GET / b.example.com',
      'GET / b.example.com:8080',
      'GET / c.example.com',
      'GET / y-x.example.com',
      'GET / .example.com',
      'GET / example.com',
      'GET / www.org',
      'GET / www.',
      'GET / www.example.com',
      'GET / other',
      'GET / [::1]:80',
    ],
  },
  {
    name: 'ports ignored',
    config: {
      ignorePortInHostMatching: true,
      virtualHosts: [host('a', ['a.com'], [prefix('/', to('a'))]), host('v6', ['[::1]'], [prefix('/', to('v6'))])],
    },
    ask: ['GET / a.com', 'GET / a.com:99', 'GET / a.com:', 'GET / [::1]:80', 'GET / [::1]', 'GET / b.com'],
  },
  {
    name: 'paths',
    config: any([
      { match: { path: '/exact' }, ...to('exact') },
      { match: { path: '/Any-Case', caseSensitive: false }, ...to('any-case') },
      { match: { pathSeparatedPrefix: '/sep' }, ...to('separated') },
      { match: { safeRegex: { regex: '/re/[0-9]+(/x)?' } }, ...to('regex') },
      { match: { safeRegex: { regex: '/lit/.*' } }, ...to('literal-regex') },
      { match: { safeRegex: { regex: '/plus/.+' } }, ...to('plus-regex') },
      { match: template('/t/*/end'), ...to('glob') },
      { match: template('/t/{a}/{b=**}'), ...to('variables') },
      prefix('/pre', to('prefix')),
      prefix('/LOWER', to('lower'), { caseSensitive: false }),
    ]),
    ask: [
      'GET /exact h',
      'GET /exact?x=1 h',
      'GET /exact/ h',
      'GET /exac h',
      'GET /any-case h',
      'GET /ANY-CASE?x h',
      'GET /sep h',
      'GET /sep/ h',
      'GET /sep?q h',
      'GET /separate h',
      'GET /re/12 h',
      'GET /re/12/x?y h',
      'GET /re/12/y h',
      'GET /lit/ h',
      'GET /lit h',
      'GET /plus/ h',
      'GET /plus/a h',
      'GET /t/one/end h',
      'GET /t/one/two/three h',
      'GET /t/one/ h',
      'GET /t/one h',
      'GET /prefix h',
      'GET /lower/x h',
      'GET /nothing h',
      'GET /x?/exact h',
      'GET /exact;v=1 h',
    ],
  },
  {
    name: 'path parameters ignored',
    config: {
      ignorePathParametersInPathMatching: true,
      ...any([
        { match: { path: '/a' }, ...to('a') },
        prefix('/b/', to('b')),
        prefix('/c/d', to('b', { prefixRewrite: '/new' })),
      ]),
    },
    ask: [
      'GET /a;x=1 h',
      'GET /a h',
      'GET /b/;x/c h',
      'GET /b;x/c h',
      'GET /a;x?q;z/v h',
      'GET /c/d;e h',
      'GET /c;x/d;y h',
      'GET /c/;/d h',
    ],
  },
  {
    name: 'headers',
    config: any([
      prefix('/exact', to('yes'), { headers: [{ name: 'X-A', ...exact('1') }] }),
      prefix('/prefix', to('yes'), { headers: [{ name: 'x-a', stringMatch: { prefix: 'A', ignoreCase: true } }] }),
      prefix('/suffix', to('yes'), { headers: [{ name: 'x-a', stringMatch: { suffix: 'z' } }] }),
      prefix('/contains', to('yes'), { headers: [{ name: 'x-a', stringMatch: { contains: 'mid' } }] }),
      prefix('/regex', to('yes'), { headers: [{ name: 'x-a', stringMatch: { safeRegex: { regex: '[a-c]+|x' } } }] }),
      prefix('/present', to('yes'), { headers: [{ name: 'x-a', presentMatch: true }] }),
      prefix('/absent', to('yes'), { headers: [{ name: 'x-a', presentMatch: false }] }),
      prefix('/not-present', to('yes'), { headers: [{ name: 'x-a', presentMatch: true, invertMatch: true }] }),
      prefix('/not-exact', to('yes'), { headers: [{ name: 'x-a', ...exact('1'), invertMatch: true }] }),
      prefix('/empty-exact', to('yes'), { headers: [{ name: 'x-a', ...exact(''), treatMissingHeaderAsEmpty: true }] }),
      prefix('/empty-not', to('yes'), {
        headers: [{ name: 'x-a', ...exact('1'), invertMatch: true, treatMissingHeaderAsEmpty: true }],
      }),
      prefix('/empty-present', to('yes'), {
        headers: [{ name: 'x-a', presentMatch: true, treatMissingHeaderAsEmpty: true }],
      }),
      prefix('/empty-absent', to('yes'), {
        headers: [{ name: 'x-a', presentMatch: false, treatMissingHeaderAsEmpty: true }],
      }),
      prefix('/range', to('yes'), { headers: [{ name: 'x-a', rangeMatch: { start: '-5', end: '5' } }] }),
      prefix('/method', to('yes'), { headers: [{ name: ':method', ...exact('POST') }] }),
      prefix('/authority', to('yes'), { headers: [{ name: ':authority', stringMatch: { suffix: '.com' } }] }),
      prefix('/host', to('yes'), { headers: [{ name: 'host', ...exact('h.com') }] }),
      prefix('/path', to('yes'), { headers: [{ name: ':path', stringMatch: { contains: 'q=1' } }] }),
      prefix('/scheme', to('yes'), { headers: [{ name: ':scheme', ...exact('http') }] }),
      prefix('/nothing', to('yes'), { headers: [{ name: 'x-a' }] }),
      prefix('/', to('no')),
    ]),
    ask: [
      '/exact',
      '/prefix',
      '/suffix',
      '/contains',
      '/regex',
      '/present',
      '/absent',
      '/not-present',
      '/not-exact',
      '/empty-exact',
      '/empty-not',
      '/empty-present',
      '/empty-absent',
      '/range',
      '/nothing',
    ]
      .flatMap((p) =>
        [
          '',
          '\nx-a: 1',
          '\nx-a: az',
          '\nx-a:',
          '\nx-a: a\nx-a: midz',
          '\nx-a: 1\nx-a: 2',
          '\nx-a: 2\nx-a: 1',
          '\nx-a: 1,2',
          '\nX-A: abc',
          '\nx-a: -5',
          '\nx-a: +4',
        ].map((fields) => `GET ${p} h${fields}`),
      )
      .concat([
        'POST /method h',
        'GET /method h',
        'GET /authority a.com',
        'GET /authority a.org',
        'GET /host h.com',
        'GET /host h',
        'GET /path?q=1 h',
        'GET /path h',
        'GET /scheme h',
      ]),
  },
  {
    name: 'query parameters and grpc',
    config: any([
      prefix('/exact', to('yes'), { queryParameters: [{ name: 'q', stringMatch: { exact: '1' } }] }),
      prefix('/regex', to('yes'), {
        queryParameters: [{ name: 'q', stringMatch: { safeRegex: { regex: '[0-9]+' } } }],
      }),
      prefix('/present', to('yes'), { queryParameters: [{ name: 'q', presentMatch: true }] }),
      prefix('/absent', to('yes'), { queryParameters: [{ name: 'q', presentMatch: false }] }),
      prefix('/only', to('yes'), { queryParameters: [{ name: 'q' }] }),
      prefix('/grpc', to('yes'), { grpc: {} }),
      prefix('/', to('no')),
    ]),
    ask: ['/exact', '/regex', '/present', '/absent', '/only']
      .flatMap((p) =>
        ['', '?q=1', '?q=2', '?q', '?q=', '?a=1&q=1', '?q=2&q=1', '?q=1&q=2', '?qq=1', '?Q=1', '?q=%31', '?q=1=2'].map(
          (query) => `GET ${p}${query} h`,
        ),
      )
      .concat([
        'POST /grpc h\ncontent-type: application/grpc',
        'POST /grpc h\ncontent-type: application/grpc+proto',
        'POST /grpc h\ncontent-type: application/grpcx',
        'POST /grpc h\ncontent-type: text/plain',
      ]),
  },
  {
    name: 'rewrites',
    config: any([
      prefix('/prefix', to('a', { prefixRewrite: '/new' })),
      prefix('/slash/', to('a', { prefixRewrite: '/' })),
      { match: { path: '/path' }, ...to('a', { prefixRewrite: '/whole' }) },
      { match: { pathSeparatedPrefix: '/sep' }, ...to('a', { prefixRewrite: '/s' }) },
      { match: { safeRegex: { regex: '/regex/.*' } }, ...to('a', { prefixRewrite: '/all' }) },
      prefix(
        '/subst',
        to('a', { regexRewrite: { pattern: { regex: '^/subst/([^/]+)(/.*)$' }, substitution: '\\2/instance/\\1' } }),
      ),
      prefix('/global', to('a', { regexRewrite: { pattern: { regex: 'a*' }, substitution: '-' } })),
      prefix('/case', to('a', { prefixRewrite: '/new' }), { caseSensitive: false }),
      { match: template('/tpl/{x}/{y=**}'), ...to('a', { ...rewriteTo('/out/{y}/{x}') }) },
      prefix('/literal', to('a', { hostRewriteLiteral: 'other.com' })),
      prefix('/from-header', to('a', { hostRewriteHeader: 'x-host' })),
      prefix(
        '/from-path',
        to('a', { hostRewritePathRegex: { pattern: { regex: '^/from-path/([^/]+).*$' }, substitution: '\\1.com' } }),
      ),
      prefix('/forwarded', to('a', { hostRewriteLiteral: 'other.com', appendXForwardedHost: true })),
    ]),
    ask: [
      'GET /prefix/a?b=c h',
      'GET /prefixes h',
      'GET /slash/x h',
      'GET /path?q h',
      'GET /sep/x h',
      'GET /sep h',
      'GET /regex/x?y h',
      'GET /subst/one/two?q=1 h',
      'GET /subst h',
      'GET /global/baab h',
      'GET /CASE/x h',
      'GET /tpl/1/2/3?q h',
      'GET /literal h',
      'GET /from-header h\nx-host: n.com',
      'GET /from-header h',
      'GET /from-path/n/x h',
      'GET /forwarded h',
      'GET /forwarded h\nx-forwarded-host: h',
      'GET /forwarded h\nx-forwarded-host: a,b',
    ],
  },
  {
    name: 'redirects and direct responses',
    config: any([
      prefix('/https', { redirect: { httpsRedirect: true } }),
      prefix('/scheme', { redirect: { schemeRedirect: 'ftp' } }),
      prefix('/host', { redirect: { hostRedirect: 'new.com', responseCode: 'FOUND' } }),
      prefix('/port', { redirect: { portRedirect: 8443, responseCode: 'SEE_OTHER' } }),
      prefix('/path', { redirect: { pathRedirect: '/new', responseCode: 'TEMPORARY_REDIRECT' } }),
      prefix('/query', { redirect: { pathRedirect: '/new?x=1', responseCode: 'PERMANENT_REDIRECT' } }),
      prefix('/strip', { redirect: { hostRedirect: 'new.com', stripQuery: true } }),
      prefix('/prefix', { redirect: { prefixRewrite: '/other' } }),
      prefix('/regex', { redirect: { regexRewrite: { pattern: { regex: '/regex/(.*)' }, substitution: '/r/\\1' } } }),
      prefix('/direct', { directResponse: { status: 418, body: { inlineString: 'teapot' } } }),
      prefix('/empty', { directResponse: { status: 204 } }),
    ]),
    ask: [
      'GET /https?a=b h:80',
      'GET /https h',
      'GET /https h:443',
      'GET /scheme h:80',
      'GET /host/x?y=z h',
      'GET /port h:80',
      'GET /port [::1]:80',
      'GET /path?a=b h',
      'GET /query?a=b h',
      'GET /strip?a=b h',
      'GET /prefix/x?y h',
      'GET /regex/a/b?c h',
      'GET /direct h',
      'GET /empty h',
    ],
  },
  {
    name: 'required tls',
    config: {
      virtualHosts: [
        host('all', ['all'], [prefix('/', to('a'))], { requireTls: 'ALL' }),
        host('ext', ['ext'], [prefix('/', to('a'))], { requireTls: 'EXTERNAL_ONLY' }),
      ],
    },
    ask: ['GET /x?y=1 all', 'GET /x ext', 'GET /x all\nx-forwarded-proto: https'],
  },
  {
    name: 'clusters',
    config: any([
      prefix('/header', { route: { clusterHeader: 'x-cluster' } }),
      prefix('/weighted', {
        route: {
          hostRewriteLiteral: 'route.com',
          weightedClusters: {
            clusters: [
              { name: 'a', weight: 0 },
              {
                name: 'b',
                weight: 10,
                requestHeadersToAdd: [add('x-w', 'b')],
                requestHeadersToRemove: ['x-remove'],
                hostRewriteLiteral: 'weighted.com',
                responseHeadersToAdd: [add('x-rw', 'b')],
              },
            ],
          },
        },
      }),
      prefix('/picked', {
        route: {
          weightedClusters: {
            headerName: 'x-pick',
            clusters: [
              { name: 'a', weight: 30 },
              { name: 'b', weight: 70 },
            ],
          },
        },
      }),
      prefix('/by-name', { route: { weightedClusters: { clusters: [{ clusterHeader: 'x-cluster', weight: 1 }] } } }),
    ]),
    ask: [
      'GET /header h\nx-cluster: b',
      'GET /weighted h\nx-remove: 1',
      'GET /picked h\nx-pick: 29',
      'GET /picked h\nx-pick: 30',
      'GET /picked h\nx-pick: 129',
      'GET /by-name h\nx-cluster: a',
    ],
  },
  ...[false, true].map((mostSpecificHeaderMutationsWins) => ({
    name: `header mutations, most specific ${mostSpecificHeaderMutationsWins ? 'wins' : 'first'}`,
    config: {
      mostSpecificHeaderMutationsWins,
      requestHeadersToAdd: [add('x-level', 'config', 'OVERWRITE_IF_EXISTS_OR_ADD'), add('x-order', 'config')],
      requestHeadersToRemove: ['x-drop'],
      virtualHosts: [
        host(
          'all',
          ['*'],
          [prefix('/', to('a'), {})].map((route) => ({
            ...route,
            requestHeadersToAdd: [
              add('x-level', 'route', 'OVERWRITE_IF_EXISTS_OR_ADD'),
              add('x-order', 'route'),
              add('x-append', 'two'),
              add('x-absent', 'new', 'ADD_IF_ABSENT'),
              add('x-there', 'new', 'ADD_IF_ABSENT'),
              add('x-over', 'new', 'OVERWRITE_IF_EXISTS'),
              add('x-none', 'new', 'OVERWRITE_IF_EXISTS'),
              add('x-empty', ''),
              add('x-kept', '', 'APPEND_IF_EXISTS_OR_ADD', { keepEmptyValue: true }),
              add('x-method', '%REQ(:METHOD)% 100%%'),
              add('x-nothing', '%REQ(x-not-there)%'),
              add('x-alt', '%REQ(x-not-there?x-there)%'),
              add('x-cut', '%REQ(user-agent):3%'),
              add('user-agent', 'more'),
              add('x-utf8', 'é'),
            ],
            requestHeadersToRemove: ['x-route-drop'],
          })),
          { requestHeadersToAdd: [add('x-level', 'host', 'OVERWRITE_IF_EXISTS_OR_ADD'), add('x-order', 'host')] },
        ),
      ],
    },
    ask: [
      'GET / h\nx-level: a\nx-drop: 1\nx-append: one\nx-there: old\nx-over: old\nx-route-drop: 1\nuser-agent: curl/8',
      'GET / h',
    ],
  })),
];

export const CLUSTERS = [
  'exact',
  'suffix',
  'longer',
  'prefix',
  'rest',
  'a',
  'b',
  'v6',
  'any-case',
  'separated',
  'regex',
  'literal-regex',
  'plus-regex',
  'glob',
  'variables',
  'lower',
  'yes',
  'no',
];
export const MARKS = [add('x-cluster-used', '%UPSTREAM_CLUSTER%')];
