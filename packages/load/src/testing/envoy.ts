import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort, startEnvoy } from '@mizzen/testkit';
import { linesOf } from './lines.ts';

export interface LoggingEnvoy {
  readonly port: number;
  /**
   * Ends it once its access log has `least` lines: what was sent and given up may still be on its way. All its lines: method,
   * path, protocol, status and gRPC status.
   */
  stop(least: number): Promise<readonly string[]>;
}

const V3 = 'type.googleapis.com/envoy.extensions';

/** An Envoy that answers by itself, `/slow` after 600 ms, and leads the Greeter's calls to `grpcPort`. */
export async function startLoggingEnvoy(grpcPort: number): Promise<LoggingEnvoy> {
  const port = await freePort();
  const dir = mkdtempSync(join(tmpdir(), 'mizzen-load-envoy-'));
  const path = join(dir, 'access.log');
  const fault = {
    '@type': `${V3}.filters.http.fault.v3.HTTPFault`,
    delay: { fixedDelay: '0.6s', percentage: { numerator: 100 } },
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
  const resources = {
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
  };
  const envoy = await startEnvoy(resources, { args: ['--file-flush-interval-msec', '100'] });
  return {
    port,
    async stop(least) {
      await linesOf(path, least);
      await envoy.stop();
      const lines = await linesOf(path, 0);
      rmSync(dir, { recursive: true });
      return lines;
    },
  };
}
