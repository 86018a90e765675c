import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { ProxyNode } from '../process/proxy-node.ts';
import { nodeStats } from '../telemetry/node-stats.ts';
import { clusterStatuses, configDump, listenerStatuses } from './dump.ts';

/**
 * Envoy's admin endpoint, read-only: `/ready`, `/stats` (text, `format=json`, `filter=REGEX`), `/clusters`,
 * `/listeners`, `/config_dump`. The address is the caller's to choose; requests that name another host are refused.
 */
export function serveAdmin(node: ProxyNode, address: string, port: number): Server {
  const server = createServer((request, response) => {
    if (!isLocal(request)) return send(response, 403, 'text/plain', 'forbidden\n');
    const url = URL.parse(request.url ?? '/', 'http://admin');
    if (url === null) return send(response, 400, 'text/plain', 'bad request\n');
    answer(node, url, response);
  });
  return server.listen(port, address);
}

/** A web page must not read this by a name that leads here (DNS rebinding). */
function isLocal(request: IncomingMessage): boolean {
  const host = (request.headers.host ?? '').replace(/:\d+$/, '');
  return host === 'localhost' || host === '[::1]' || /^\d+\.\d+\.\d+\.\d+$/.test(host);
}

function answer(node: ProxyNode, url: URL, response: ServerResponse): void {
  const json = (value: unknown): void =>
    send(response, 200, 'application/json', `${JSON.stringify(value, undefined, 1)}\n`);
  switch (url.pathname) {
    case '/ready':
      return send(response, node.ready ? 200 : 503, 'text/plain', node.ready ? 'LIVE\n' : 'PRE_INITIALIZING\n');
    case '/stats':
      return sendStats(node, url, response);
    case '/clusters':
      return json(clusterStatuses(node));
    case '/listeners':
      return json(listenerStatuses(node));
    case '/config_dump':
      return json(configDump(node));
    default:
      return send(response, 404, 'text/plain', 'known: /ready /stats /clusters /listeners /config_dump\n');
  }
}

function sendStats(node: ProxyNode, url: URL, response: ServerResponse): void {
  let wanted: RegExp;
  try {
    wanted = new RegExp(url.searchParams.get('filter') ?? '');
  } catch {
    return send(response, 400, 'text/plain', 'Invalid re2 regex\n');
  }
  const stats = [...nodeStats(node)].filter(([name]) => wanted.test(name));
  if (url.searchParams.get('format') === 'json') {
    return send(
      response,
      200,
      'application/json',
      `${JSON.stringify({ stats: stats.map(([name, value]) => ({ name, value })) })}\n`,
    );
  }
  send(response, 200, 'text/plain', stats.map(([name, value]) => `${name}: ${value}\n`).join(''));
}

function send(response: ServerResponse, status: number, type: string, body: string): void {
  response.writeHead(status, { 'content-type': type, 'cache-control': 'no-cache, max-age=0' });
  response.end(body);
}
