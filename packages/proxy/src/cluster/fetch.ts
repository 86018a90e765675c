import type { HttpFetch } from '../program/types.ts';
import type { Deps } from '../deps.ts';
import { HTTP_ALPN } from '../tls/agreed.ts';
import type { UpstreamCluster, UpstreamHost, UpstreamSocket } from '../types.ts';
import { http } from '../node-http.ts';

/** A request that the proxy itself makes and that failed. */
export class FetchError extends Error {
  readonly code = 'FETCH_FAILED';
}

/** The largest answer that is read, bytes. */
const MAX_BODY = 1024 * 1024;

/** One GET through a cluster, on a connection of its own. Rejects with a FetchError on timeout and failure. */
export async function fetchThrough(
  cluster: UpstreamCluster | undefined,
  fetch: HttpFetch,
  deps: Deps,
): Promise<{ readonly status: number; readonly body: Buffer }> {
  if (cluster === undefined) throw new FetchError(`cluster \`${fetch.cluster}\` is not known`);
  const url = new URL(fetch.uri);
  const host = await cluster.choose({
    hash: undefined,
    metadataMatch: undefined,
    avoid: undefined,
    avoidAttempts: 0,
    authority: url.port === '' ? `${url.hostname}:${url.protocol === 'https:' ? 443 : 80}` : url.host,
    priority: 'DEFAULT',
  });
  if (host === null) throw new FetchError(`no healthy host in cluster \`${fetch.cluster}\``);
  return get(await connected(host), url, fetch.timeout, deps);
}

function connected(host: UpstreamHost): Promise<UpstreamSocket> {
  return new Promise((resolve, reject) => {
    host.connect(
      resolve,
      ({ kind, reason }) =>
        reject(new FetchError(`connection to ${host.authority} failed: ${reason === '' ? kind : reason}`)),
      HTTP_ALPN,
    );
  });
}

function get(
  socket: UpstreamSocket,
  url: URL,
  timeout: number,
  deps: Deps,
): Promise<{ readonly status: number; readonly body: Buffer }> {
  return new Promise((resolve, reject) => {
    const fail = (message: string): void => {
      timer.cancel();
      socket.destroy();
      reject(new FetchError(`${url.href}: ${message}`));
    };
    const timer = deps.clock.after(timeout, () => fail(`no answer within ${timeout} ms`));
    const sent = http.request(
      {
        createConnection: () => socket,
        path: `${url.pathname}${url.search}`,
        headers: { host: url.host, connection: 'close' },
      },
      (response) => {
        const chunks: Buffer[] = [];
        let size = 0;
        response.on('data', (chunk: Buffer) => {
          size += chunk.length;
          if (size > MAX_BODY) fail('the answer is too large');
          else chunks.push(chunk);
        });
        response.on('end', () => {
          timer.cancel();
          socket.destroy();
          resolve({ status: response.statusCode ?? 0, body: Buffer.concat(chunks) });
        });
        response.on('error', (error) => fail(error.message));
      },
    );
    sent.on('error', (error) => fail(error.message));
    sent.end();
  });
}
