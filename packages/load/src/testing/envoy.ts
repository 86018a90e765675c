import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort, startEnvoy } from '@mizzen/testkit';

export interface LoggingEnvoy {
  readonly port: number;
  /** Ends it; the lines of its access log: method, path, protocol, status and gRPC status. */
  stop(): Promise<readonly string[]>;
}

const V3 = 'type.googleapis.com/envoy.extensions';

/** An Envoy that answers by itself, `/slow` after 300 ms, and leads the Greeter's calls to `grpcPort`. */
export async function startLoggingEnvoy(grpcPort: number): Promise<LoggingEnvoy> {
  const port = await freePort();
  const dir = mkdtempSync(join(tmpdir(), 'mizzen-load-envoy-'));
  const path = join(dir, 'access.log');
  const fault = {
    '@type': `${V3}.filters.http.fault.v3.HTTPFault`,
    delay: { fixedDelay: '0.3s', percentage: { numerator: 100 } },
  };
  const ok = { status: 200, body: { inlineString: 'hello' } };
  const manager = {
    '@type': `${V3}.filters.network.http_connection_manager.v3.HttpConnectionManager`,
    statPrefix: 'a',
    accessLog: [
      {
        name: 'file',
        typedConfig: {
          '@type': `${V3}.access_loggers.file.v3.FileAccessLog`,
          path,
          logFormat: {
            textFormatSource: {
              inlineString: '%REQ(:METHOD)% %REQ(:PATH)% %PROTOCOL% %RESPONSE_CODE% %GRPC_STATUS%\n',
            },
          },
        },
      },
    ],
    routeConfig: {
      virtualHosts: [
        {
          name: 'a',
          domains: ['*'],
          routes: [
            { match: { prefix: '/greet.' }, route: { cluster: 'greet' } },
            { match: { prefix: '/slow' }, directResponse: ok, typedPerFilterConfig: { fault } },
            { match: { prefix: '/' }, directResponse: ok },
          ],
        },
      ],
    },
    httpFilters: [
      { name: 'fault', typedConfig: { '@type': `${V3}.filters.http.fault.v3.HTTPFault` } },
      { name: 'router', typedConfig: { '@type': `${V3}.filters.http.router.v3.Router` } },
    ],
  };
  const address = (portValue: number): object => ({ socketAddress: { address: '127.0.0.1', portValue } });
  const http2 = {
    'envoy.extensions.upstreams.http.v3.HttpProtocolOptions': {
      '@type': `${V3}.upstreams.http.v3.HttpProtocolOptions`,
      explicitHttpConfig: { http2ProtocolOptions: {} },
    },
  };
  const envoy = await startEnvoy({
    staticResources: {
      listeners: [
        { name: 'a', address: address(port), filterChains: [{ filters: [{ name: 'http', typedConfig: manager }] }] },
      ],
      clusters: [
        {
          name: 'greet',
          typedExtensionProtocolOptions: http2,
          loadAssignment: {
            clusterName: 'greet',
            endpoints: [{ lbEndpoints: [{ endpoint: { address: address(grpcPort) } }] }],
          },
        },
      ],
    },
  });
  return {
    port,
    async stop() {
      await envoy.stop();
      const lines = readFileSync(path, 'utf8').split('\n').slice(0, -1);
      rmSync(dir, { recursive: true });
      return lines;
    },
  };
}
