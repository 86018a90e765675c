import {
  bootstrap,
  downstreamTls,
  listener,
  routeTo,
  staticCluster,
  tcpProxy,
  upstreamTls,
  type Identity,
} from '../../process/testing/bootstraps.ts';
import { testAuthority } from '../../tls/testing/certificates.ts';
import type { Scenario } from './stats-beside.ts';
import { get, http, onOne } from './scenario-parts.ts';

const authority = testAuthority();
const own: Identity = authority.issue('a', 'URI:spiffe://cluster.local/ns/a/sa/a');

/** Connections that are more than requests: tunnels, TCP, TLS. */
export const CONNECTIONS: readonly Scenario[] = [
  {
    name: 'tunnels, and answers that end with their connection',
    config: (port, up) =>
      bootstrap(
        [
          listener(port, [
            {
              filters: [
                http(
                  [
                    {
                      match: { connectMatcher: {} },
                      route: { cluster: 'up', upgradeConfigs: [{ upgradeType: 'CONNECT', connectConfig: {} }] },
                    },
                    routeTo('up'),
                  ],
                  { upgradeConfigs: [{ upgradeType: 'websocket' }, { upgradeType: 'CONNECT' }] },
                ),
              ],
            },
          ]),
        ],
        [staticCluster('up', [up])],
      ),
    asks: [get('/', 'x-answer: until-close'), get('/', 'x-answer: short'), get('/', 'x-answer: surplus')],
    drive: async (port) => {
      const upgrade = ['connection: upgrade', 'upgrade: websocket'];
      await onOne(get('/', ...upgrade, 'x-answer: upgrade'))(port);
      await onOne(get('/', ...upgrade, 'x-answer: upgrade and close'))(port);
      await onOne(get('/', ...upgrade))(port);
      await onOne('CONNECT a.test:80 HTTP/1.1\r\nhost: a.test:80\r\n\r\n', get('/'))(port);
    },
  },
  {
    name: 'TCP to where nobody listens',
    config: (port, _up, closed) =>
      bootstrap(
        [listener(port, [{ filters: [tcpProxy('closed', { maxConnectAttempts: 2 })] }])],
        [staticCluster('closed', [closed])],
      ),
    asks: [get()],
  },
  {
    name: 'TCP',
    config: (port, up, closed) =>
      bootstrap(
        [listener(port, [{ filters: [tcpProxy('up')] }])],
        [staticCluster('up', [up]), staticCluster('closed', [closed])],
      ),
    asks: [],
    drive: onOne(get('/a')),
  },
  {
    name: 'TLS on both sides',
    config: (port, up, inner) =>
      bootstrap(
        [
          listener(port, [{ filters: [http([routeTo('inner')])] }]),
          listener(
            inner,
            [
              {
                transportSocket: downstreamTls(own, authority.rootFile),
                filters: [http([routeTo('up')], { statPrefix: 'inner' })],
              },
            ],
            { statPrefix: 'inner' },
          ),
        ],
        [
          staticCluster('up', [up]),
          staticCluster('inner', [inner], { transportSocket: upstreamTls(own, authority.rootFile) }),
        ],
      ),
    asks: [get(), get('/a')],
  },
];
