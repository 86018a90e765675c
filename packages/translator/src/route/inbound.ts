import { refOf } from '@mizzen/api';
import type { RouteConfiguration } from '@mizzen/xds';
import type { TranslationContext } from '../context.ts';
import type { InboundPort } from '../inbound.ts';
import { INBOUND_PASSTHROUGH, inboundCluster } from '../names.ts';

/** Everything that comes in on a port goes to the application; a connection lost before a request was sent is retried. */
export function inboundRoute(context: TranslationContext, inbound: InboundPort): RouteConfiguration {
  const { service, servicePort } = inbound;
  const name = inboundCluster(inbound.port);
  const operation = `${service?.hostname ?? ''}:${servicePort.port}/*`;
  if (service !== undefined) {
    const origin = { resource: refOf(service.resource), path: ['spec', 'ports', service.ports.indexOf(servicePort)] };
    context.origins.set('route', name, [], origin);
  }
  return configuration(name, name, servicePort.port, operation);
}

/** For ports that no service has. */
export function inboundPassthroughRoute(): RouteConfiguration {
  return configuration(INBOUND_PASSTHROUGH, INBOUND_PASSTHROUGH, 0, ':0/*');
}

function configuration(name: string, cluster: string, port: number, operation: string): RouteConfiguration {
  return {
    name,
    validateClusters: false,
    virtualHosts: [
      {
        name: `inbound|http|${port}`,
        domains: ['*'],
        routes: [
          {
            name: 'default',
            match: { prefix: '/' },
            decorator: { operation },
            route: {
              cluster,
              timeout: '0s',
              maxStreamDuration: { maxStreamDuration: '0s', grpcTimeoutHeaderMax: '0s' },
              retryPolicy: { retryOn: 'reset-before-request', numRetries: 2 },
            },
          },
        ],
      },
    ],
  };
}
