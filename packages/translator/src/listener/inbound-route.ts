import type { networking } from '@mizzen/api';
import type { Protocol } from '@mizzen/model';
import type { types } from '@mizzen/xds';
import { duration } from '../duration.ts';

/** The route configuration of an inbound port: everything to the application, without limits of time. */
export function inboundRoute(port: {
  readonly cluster: string;
  readonly protocol: Protocol;
  readonly servicePort: number;
  readonly operationHost: string;
  /** What MeshConfig says instead of the usual. */
  readonly retries: networking.HTTPRetry | undefined;
}): types.route.RouteConfiguration {
  const grpc = port.protocol === 'grpc' || port.protocol === 'grpc-web';
  return {
    name: port.cluster,
    validateClusters: false,
    virtualHosts: [
      {
        name: `inbound|http|${port.servicePort}`,
        domains: ['*'],
        routes: [
          {
            name: 'default',
            match: { prefix: '/' },
            decorator: { operation: `${port.operationHost}:${port.servicePort}/*` },
            route: {
              cluster: port.cluster,
              timeout: '0s',
              maxStreamDuration: { maxStreamDuration: '0s', grpcTimeoutHeaderMax: '0s' },
              ...(grpc ? {} : retries(port.retries)),
            },
          },
        ],
      },
    ],
  };
}

/**
 * An application that closes idle connections may do so just when a request is sent: nothing of it was read then, so it
 * may be sent again.
 */
function retries(settings: networking.HTTPRetry | undefined): Pick<types.route.RouteAction, 'retryPolicy'> {
  const { attempts = 0, retryOn = '', backoff } = settings ?? { attempts: 2 };
  if (attempts <= 0) return {};
  return {
    retryPolicy: {
      retryOn: retryOn === '' ? 'reset-before-request' : retryOn,
      numRetries: attempts,
      ...(backoff === undefined ? {} : { retryBackOff: { baseInterval: duration(backoff) } }),
    },
  };
}
