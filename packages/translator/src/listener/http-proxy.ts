import type { types } from '@mizzen/xds';
import { allNetworkExtensions } from '../extension/filters.ts';
import { loopback } from '../families.ts';
import { httpConnectionManager } from '../filters/http-connection-manager.ts';
import { HTTP_PROXY_ROUTE, listenerName } from '../names.ts';
import type { Build } from './build.ts';
import { finishEntry } from './outbound-entry.ts';

/** Istio's HTTP proxy port on the loopback address, where MeshConfig or the node asks for one. */
export function httpProxyListener(build: Build): readonly types.listener.Listener[] {
  const { model, node } = build.context;
  const own = Number(node.metadata['HTTP_PROXY_PORT'] ?? '');
  const port = own > 0 ? own : (model.mesh.proxyHttpPort ?? 0);
  if (port === 0) return [];
  const bind = loopback(build.context.proxy);
  const manager = httpConnectionManager(build, {
    listener: 'outbound',
    statPrefix: `outbound_${listenerName(bind, port)}`,
    routes: HTTP_PROXY_ROUTE,
    useRemoteAddress: false,
    port,
    settings: { httpProtocolOptions: { allowAbsoluteUrl: true } },
  });
  return [
    finishEntry(
      build,
      {
        bind,
        additional: [],
        bindToPort: true,
        port,
        protocol: 'http',
        locked: false,
        dynamicHosts: [],
        chains: [
          {
            serverNames: [],
            cidrs: [],
            applicationProtocols: [],
            transportProtocol: '',
            metadata: undefined,
            origin: undefined,
            filters: () => [...allNetworkExtensions(build, 'outbound', port), manager],
          },
        ],
      },
      [],
    ),
  ];
}
