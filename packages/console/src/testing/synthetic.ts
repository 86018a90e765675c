import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname, join } from 'node:path';
import type { Graph, GraphEdge, GraphNode } from '../api.ts';

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.svg': 'image/svg+xml',
};

/** The folder of the built console. */
export function built(): string {
  const program = join(import.meta.dirname, '../../build/main.ts');
  const { status, stdout, stderr } = spawnSync(process.execPath, [program], { encoding: 'utf8' });
  if (status !== 0) throw new Error(stderr);
  return stdout.trim();
}

/** A graph of so many services in namespaces of 25, each of which calls one or two others; numbers are those of a turn. */
export function syntheticGraph(services: number, turn: number): Graph {
  const rate = (i: number): number => ((i * 37 + turn * 11) % 200) / 2;
  const nodes = Array.from({ length: services }, (_, i): GraphNode => {
    const namespace = `team-${Math.floor(i / 25)}`;
    const health = i % 41 === 0 ? 'failing' : i % 17 === 0 ? 'degraded' : 'healthy';
    const rest = { state: 'running', sidecar: true, engine: 'mizzen' } as const;
    return {
      id: `workload/${namespace}/service-${i}`,
      kind: 'workload',
      namespace,
      name: `service-${i}`,
      app: `service-${i}`,
      version: 'v1',
      replicas: 2,
      ready: 2,
      health,
      ...rest,
      requestRate: rate(i),
      errorRate: i % 41 === 0 ? rate(i) / 4 : 0,
      clientErrorRate: i % 23 === 0 ? rate(i) / 5 : 0,
    };
  });
  const edges = nodes.flatMap((source, i) =>
    [1, 2].flatMap((k): GraphEdge[] => {
      const target = nodes[i + 1 + ((i * 7 + k * 13) % 23)];
      if (target === undefined) return [];
      const { health, requestRate, errorRate } = target;
      return [
        {
          id: `${source.id} ${target.id} ${k}`,
          source: source.id,
          target: target.id,
          service: target.name,
          port: 8080,
          protocol: k === 1 ? 'http' : 'grpc',
          mtls: true,
          requestRate,
          errorRate,
          clientErrorRate: i % 23 === 0 ? requestRate / 5 : 0,
          health,
          p50: 3 + (turn % 4),
          p99: 40 + ((i + turn) % 50),
          latencyShared: false,
        },
      ];
    }),
  );
  return { window: 30, nodes, edges };
}

/** The built console with a mesh that there is only on paper: every number changes with every second. */
export async function serveSynthetic(services: number): Promise<{ readonly url: string; close(): Promise<void> }> {
  const folder = built();
  const server: Server = createServer((request, response) => {
    const path = request.url ?? '/';
    if (path.startsWith('/api/graph/events')) {
      let turn = 0;
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      const tell = (): void =>
        void response.write(`event: graph\ndata: ${JSON.stringify(syntheticGraph(services, turn++))}\n\n`);
      tell();
      const timer = setInterval(tell, 1000);
      response.on('close', () => clearInterval(timer));
      return;
    }
    const name = path === '/' ? 'index.html' : path.slice(1);
    response.writeHead(200, { 'content-type': TYPES[extname(name)] ?? 'text/plain' });
    response.end(readFileSync(join(folder, name)));
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    async close() {
      server.closeAllConnections();
      await new Promise((done) => server.close(done));
    },
  };
}
