/** Test support: what the real Envoy makes of HTTP connection managers, one request at a time. */
import { randomInt } from 'node:crypto';
import { connect, createServer, type AddressInfo, type Server } from 'node:net';
import { startEnvoy } from '@mizzen/testkit';

export interface Observation {
  readonly status: number;
  readonly headers: readonly (readonly [string, string])[];
  readonly body: string;
  /** Request line and fields as the upstream got them; undefined when it got nothing. */
  readonly upstream: { readonly target: string; readonly headers: readonly (readonly [string, string])[] } | undefined;
}
export interface Oracle {
  /** Sends raw bytes to the listener of that number. */
  ask(listener: number, request: string): Promise<Observation>;
  readonly ports: readonly number[];
  stop(): Promise<void>;
}

/** An upstream that answers with the head it received. */
async function echo(): Promise<Server> {
  const server = createServer((socket) => {
    let text = '';
    socket.on('data', (data) => {
      text += data.toString('latin1');
      const end = text.indexOf('\r\n\r\n');
      if (end < 0) return;
      const body = Buffer.from(text.slice(0, end), 'latin1');
      socket.end(
        `HTTP/1.1 200 OK\r\nx-echo: 1\r\ncontent-length: ${body.length}\r\nconnection: close\r\n\r\n${body.toString('latin1')}`,
        'latin1',
      );
      text = '';
    });
    socket.on('error', () => socket.destroy());
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  return server;
}

/**
 * Starts Envoy, or what else takes its configuration, with one listener for each connection manager. Every cluster of
 * `clusters` is the echo.
 */
export async function startOracle(
  managers: readonly object[],
  clusters: readonly string[],
  start: (bootstrap: object) => Promise<{ stop(): Promise<void> }> = startEnvoy,
): Promise<Oracle> {
  const upstream = await echo();
  const { port } = upstream.address() as AddressInfo;
  // An address of its own: nobody else takes these ports between now and Envoy's start.
  const host = `127.${randomInt(1, 255)}.${randomInt(256)}.${randomInt(1, 255)}`;
  const ports = managers.map((_, i) => 10_000 + i);
  const socketAddress = (address: string, portValue: number): object => ({ socketAddress: { address, portValue } });
  const envoy = await start({
    staticResources: {
      listeners: managers.map((manager, i) => ({
        name: `listener-${i}`,
        address: socketAddress(host, ports[i]!),
        filterChains: [
          {
            filters: [
              {
                name: 'hcm',
                typedConfig: {
                  '@type':
                    'type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager',
                  statPrefix: 'test',
                  ...manager,
                },
              },
            ],
          },
        ],
      })),
      clusters: clusters.map((name) => ({
        name,
        type: 'STATIC',
        connectTimeout: '1s',
        loadAssignment: {
          clusterName: name,
          endpoints: [{ lbEndpoints: [{ endpoint: { address: socketAddress('127.0.0.1', port) } }] }],
        },
      })),
    },
  });
  return {
    ports,
    async ask(listener, request) {
      return parse(await exchange(host, ports[listener]!, request));
    },
    async stop() {
      await envoy.stop();
      upstream.close();
    },
  };
}

/** Waits for a whole response and no longer. */
function exchange(host: string, port: number, request: string): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect(port, host, () => socket.write(request, 'latin1'));
    let text = '';
    const finish = (): void => {
      socket.destroy();
      resolve(text);
    };
    socket.on('data', (data) => {
      text += data.toString('latin1');
      const end = text.indexOf('\r\n\r\n');
      if (end < 0) return;
      const length = /\r\ncontent-length: (\d+)/i.exec(text.slice(0, end))?.[1];
      if (length === undefined ? / (204|304) /.test(text.slice(0, 13)) : text.length >= end + 4 + Number(length))
        finish();
    });
    socket.on('end', finish);
    socket.on('error', finish);
  });
}

function parseHead(head: string): { readonly first: string; readonly headers: readonly (readonly [string, string])[] } {
  const [first = '', ...lines] = head.split('\r\n');
  const headers = lines.map(
    (line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1).trim()] as const,
  );
  return { first, headers };
}

function parse(text: string): Observation {
  const end = text.indexOf('\r\n\r\n');
  const { first, headers } = parseHead(text.slice(0, end));
  const body = text.slice(end + 4);
  const echoed = headers.some(([name]) => name === 'x-echo') ? parseHead(body) : undefined;
  return {
    status: Number(first.split(' ')[1]),
    headers,
    body: echoed === undefined ? body : '',
    upstream: echoed === undefined ? undefined : { target: echoed.first.split(' ')[1] ?? '', headers: echoed.headers },
  };
}
