/** Statistics whose names have parts that become labels. */
import { TYPE } from '../../filter/testing/beside.ts';
import { bootstrap, hcm, listener, staticCluster } from '../../process/testing/bootstraps.ts';
import { get } from './scenario-parts.ts';
import type { Scenario } from './stats-beside.ts';

const extension = (name: string, type: string, more: object): object => ({
  name,
  typedConfig: { '@type': `${TYPE}envoy.extensions.filters.${type}`, ...more },
});
const rules = { policies: { pol: { permissions: [{ any: true }], principals: [{ any: true }] } } };
const tokenBucket = { maxTokens: 100, fillInterval: '1s' };
const http = (type: string, more: object): object => extension(type, `http.${type}`, more);
const network = (type: string, more: object): object => extension(type, `network.${type}`, more);
const rbac = (more: object): object => http('rbac.v3.RBAC', { rules, trackPerRuleStats: true, ...more });
const authorization = http('ext_authz.v3.ExtAuthz', {
  statPrefix: 'eee',
  httpService: { serverUri: { uri: 'http://authorizer', cluster: 'authorizer', timeout: '5s' } },
});

export const LABELS: Scenario = {
  name: 'prefixes and policies that become labels',
  config: (port, up) => {
    const manager = hcm([], {
      httpFilters: [
        rbac({ rulesStatPrefix: 'en', shadowRulesStatPrefix: 'sh', shadowRules: rules }),
        rbac({ rulesStatPrefix: 'a.b.' }),
        rbac({}),
        authorization,
        http('local_ratelimit.v3.LocalRateLimit', { statPrefix: 'hhh', tokenBucket }),
        http('router.v3.Router', { suppressEnvoyHeaders: true }),
      ],
      routeConfig: {
        name: 'r.c',
        virtualHosts: [
          {
            name: 'vh',
            domains: ['*'],
            virtualClusters: [{ name: 'vc', headers: [{ name: ':path', stringMatch: { prefix: '/' } }] }],
            routes: [
              { match: { prefix: '/r' }, statPrefix: 'rsp', route: { cluster: 'up' } },
              { match: { prefix: '/' }, route: { cluster: 'up' } },
            ],
          },
        ],
      },
    });
    const filters = [
      network('rbac.v3.RBAC', { statPrefix: 'net.', rules }),
      network('rbac.v3.RBAC', { statPrefix: 'other', rules }),
      network('connection_limit.v3.ConnectionLimit', { statPrefix: 'cc', maxConnections: 100 }),
      network('local_ratelimit.v3.LocalRateLimit', { statPrefix: 'nn', tokenBucket }),
      manager,
    ];
    return bootstrap(
      [
        listener(port, [{ filters }], {
          statPrefix: 'named.so',
          listenerFilters: [
            extension('proxy', 'listener.proxy_protocol.v3.ProxyProtocol', {
              statPrefix: 'ppp',
              allowRequestsWithoutProxyProtocol: true,
            }),
          ],
        }),
      ],
      [staticCluster('up', [up]), staticCluster('authorizer', [up])],
    );
  },
  asks: [get(), get('/r'), get('/b', 'x-answer: 404')],
};
