/** Random configurations and requests, small alphabets throughout, so that they meet. */
import fc from 'fast-check';

const word = fc.constantFrom('a', 'b', 'ab', 'A', '');
const filled = fc.constantFrom('a', 'b', 'ab', 'A', 'a,b');
const name = fc.constantFrom('x-a', 'x-b', 'user-agent', ':method', ':authority', ':path');
const regex = fc.constantFrom('a*', 'a+b?', '(a|b)', '.*', '.+b', '/a/[ab]+', '^/a.*$', '[^b]*', 'GET|POST', 'h\\.com');
const flag = fc.boolean();

const stringMatcher = fc.oneof(
  fc.record({ exact: filled, ignoreCase: flag }),
  fc.record({ prefix: filled, ignoreCase: flag }),
  fc.record({ suffix: filled, ignoreCase: flag }),
  fc.record({ contains: filled, ignoreCase: flag }),
  fc.record({ safeRegex: fc.record({ regex }) }),
);
const pathMatcher = fc.oneof(
  fc.record({ exact: fc.constantFrom('/', '/a', '/a/b', '/a/'), ignoreCase: flag }),
  fc.record({ prefix: fc.constantFrom('/', '/a', '/a/', '/A'), ignoreCase: flag }),
  fc.record({ suffix: fc.constantFrom('a', '/b') }),
  fc.record({ safeRegex: fc.record({ regex }) }),
);
export const headerMatcher = fc
  .tuple(
    name,
    fc.oneof(
      stringMatcher.map((stringMatch) => ({ stringMatch })),
      flag.map((presentMatch) => ({ presentMatch })),
      fc.constant({ rangeMatch: { start: '1', end: '3' } }),
      fc.constant({}),
    ),
    flag,
    flag,
  )
  .map(([key, match, invertMatch, treatMissingHeaderAsEmpty]) => ({
    name: key,
    ...match,
    invertMatch,
    treatMissingHeaderAsEmpty,
  }));
const queryMatcher = fc
  .tuple(
    fc.constantFrom('q', 'r'),
    fc.oneof(
      stringMatcher.map((stringMatch) => ({ stringMatch })),
      flag.map((presentMatch) => ({ presentMatch })),
    ),
  )
  .map(([key, match]) => ({ name: key, ...match }));

/** A request as text: `METHOD /path authority` and fields, one a line. */
export const request = fc
  .tuple(
    fc.constantFrom('GET', 'POST', 'OPTIONS'),
    fc.constantFrom('/', '/a', '/A', '/a/', '/a/b', '/a/b/c', '/b', '/ab', '/a;p=1/b', '/a%2fb'),
    fc.constantFrom('', '?q=a', '?q=b&r', '?r=a&q=ab', '?q=&q=a', '?q'),
    fc.constantFrom('h', 'a', 'h.com', 'a.h.com', 'H.com:80', 'b.h.com:8080', 'ab'),
    fc.array(
      fc.tuple(fc.constantFrom('x-a', 'x-b', 'user-agent'), fc.oneof(word, fc.constantFrom('1', '2', '3', 'a,b'))),
      { maxLength: 3 },
    ),
  )
  .map(([method, path, query, authority, fields]) =>
    [`${method} ${path}${query} ${authority}`, ...fields.map(([key, value]) => `${key}: ${value}`)].join('\n'),
  );

// ---- authorization -----------------------------------------------------------------------------------------------

const leaf = fc.oneof(
  fc.constant({ any: true }),
  headerMatcher.map((header) => ({ header })),
  pathMatcher.map((path) => ({ urlPath: { path } })),
);
const permissionLeaf = fc.oneof(
  leaf,
  fc.constantFrom<object>(
    { destinationPort: 1 },
    { destinationIp: { addressPrefix: '127.0.0.0', prefixLen: 8 } },
    { destinationPortRange: { start: 1024, end: 65535 } },
    { requestedServerName: { exact: '' } },
  ),
);
const principalLeaf = fc.oneof(
  leaf,
  fc.constantFrom<object>(
    { directRemoteIp: { addressPrefix: '127.0.0.1', prefixLen: 32 } },
    { remoteIp: { addressPrefix: '10.0.0.0', prefixLen: 8 } },
    { authenticated: {} },
    { authenticated: { principalName: { exact: 'a' } } },
  ),
);
const tree = (of: fc.Arbitrary<object>, and: string, or: string, not: string, list: string): fc.Arbitrary<object> =>
  fc.letrec<{ node: object }>((tie) => ({
    node: fc.oneof(
      { maxDepth: 3 },
      of,
      fc.array(tie('node'), { minLength: 1, maxLength: 3 }).map((items) => ({ [and]: { [list]: items } })),
      fc.array(tie('node'), { minLength: 1, maxLength: 3 }).map((items) => ({ [or]: { [list]: items } })),
      tie('node').map((item) => ({ [not]: item })),
    ),
  })).node;
const policy = fc.record({
  permissions: fc.array(tree(permissionLeaf, 'andRules', 'orRules', 'notRule', 'rules'), {
    minLength: 1,
    maxLength: 2,
  }),
  principals: fc.array(tree(principalLeaf, 'andIds', 'orIds', 'notId', 'ids'), { minLength: 1, maxLength: 2 }),
});
export const rbac = fc.record({
  action: fc.constantFrom('ALLOW', 'DENY'),
  policies: fc
    .dictionary(fc.constantFrom('p', 'q', 'Z'), policy, { minKeys: 1, maxKeys: 3 })
    .map((policies) => ({ ...policies })),
});

// ---- routes --------------------------------------------------------------------------------------------------------

const path = fc.oneof(
  fc.constantFrom('/', '/a', '/a/', '/b').map((prefix) => ({ prefix })),
  fc.constantFrom('/', '/a', '/a/b').map((exact) => ({ path: exact })),
  fc.constantFrom('/a', '/a/b').map((pathSeparatedPrefix) => ({ pathSeparatedPrefix })),
  fc.constantFrom('/a.*', '/a/[^/]+', '/(a|b)', '/.*b').map((expression) => ({ safeRegex: { regex: expression } })),
);
const match = fc
  .tuple(path, fc.boolean(), fc.array(headerMatcher, { maxLength: 2 }), fc.array(queryMatcher, { maxLength: 1 }))
  .map(([where, caseSensitive, headers, queryParameters]) => ({
    ...where,
    ...('safeRegex' in where ? {} : { caseSensitive }),
    headers,
    queryParameters,
  }));
const action = fc.oneof(
  fc
    .tuple(
      fc.constantFrom('c1', 'c2', 'c3'),
      fc.constantFrom<object>(
        {},
        { prefixRewrite: '/new' },
        { regexRewrite: { pattern: { regex: 'a' }, substitution: 'z' } },
        { hostRewriteLiteral: 'other' },
      ),
    )
    .map(([cluster, rewrite]) => ({ route: { cluster, ...rewrite } })),
  fc.constantFrom<object>(
    { redirect: { pathRedirect: '/r' } },
    { redirect: { hostRedirect: 'r.com', stripQuery: true } },
    { redirect: { prefixRewrite: '/p' } },
    { redirect: { httpsRedirect: true } },
    { directResponse: { status: 418, body: { inlineString: 'no' } } },
  ),
);
/** Changes of the fields that conditions look at, too. */
const mutations = fc.constantFrom<object>(
  {},
  {},
  { requestHeadersToRemove: ['x-a'] },
  { requestHeadersToAdd: [{ header: { key: 'x-a', value: 'added' } }] },
  {
    requestHeadersToAdd: [{ header: { key: 'x-a', value: '%REQ(x-b)%' }, appendAction: 'OVERWRITE_IF_EXISTS_OR_ADD' }],
  },
  { requestHeadersToAdd: [{ header: { key: 'x-c', value: '%REQ(:PATH)%' }, appendAction: 'ADD_IF_ABSENT' }] },
);
const route = fc
  .tuple(match, action, mutations)
  .map(([where, what, changes]) => ({ match: where, ...what, ...('route' in what ? changes : {}) }));
const named = (host: string, routes: readonly object[]): object[] =>
  routes.map((one, i) => ({ name: `${host}-${i}`, ...one }));
const DOMAINS = ['h', 'a', 'ab', '*.h.com', '*.com', 'h.*', 'a*', 'h.com', 'h.com:80', '*'];
export const routeTable = fc
  .tuple(
    fc.shuffledSubarray(DOMAINS, { minLength: 3 }),
    fc.array(fc.array(route, { minLength: 1, maxLength: 4 }), { minLength: 2, maxLength: 2 }),
    fc.boolean(),
    fc.boolean(),
  )
  .map(([domains, [first, second], ignorePortInHostMatching, ignorePathParametersInPathMatching]) => ({
    ignorePortInHostMatching,
    ignorePathParametersInPathMatching,
    virtualHosts: [
      { name: 'one', domains: domains.slice(0, domains.length >> 1), routes: named('one', first!) },
      { name: 'two', domains: domains.slice(domains.length >> 1), routes: named('two', second!) },
    ],
  }));
