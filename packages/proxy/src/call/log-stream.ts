import type { ClientHttp2Stream } from 'node:http2';
import type { Deps } from '../deps.ts';
import type { LogService } from '../program/types.ts';
import type { UpstreamCluster, UpstreamHost } from '../types.ts';
import { CallError } from './error.ts';
import { sessionTo } from './sessions.ts';

const PATH = '/envoy.service.accesslog.v3.AccessLogService/StreamAccessLogs';
const UNAVAILABLE = 14;

/** Which service, and how it is spoken to. */
export type StreamTarget = Pick<LogService, 'cluster' | 'authority' | 'metadata' | 'skipEnvoyHeaders'>;

/** A stream to one host of the cluster, over the HTTP/2 connection that calls share. @throws CallError */
export async function openLogStream(
  cluster: UpstreamCluster,
  service: StreamTarget,
  { net }: Deps,
  path = PATH,
): Promise<{ readonly host: UpstreamHost; readonly stream: ClientHttp2Stream }> {
  const authority = service.authority === '' ? service.cluster : service.authority;
  const host = await cluster.choose({
    hash: undefined,
    metadataMatch: undefined,
    avoid: undefined,
    avoidAttempts: 0,
    authority,
    priority: 'DEFAULT',
  });
  if (host === null) {
    cluster.stats.upstream_cx_none_healthy++;
    throw new CallError('no healthy upstream', `no healthy host in cluster \`${cluster.name}\``, UNAVAILABLE);
  }
  const session = await sessionTo(host);
  const stream = session.request(
    {
      ':method': 'POST',
      ':scheme': 'http',
      ':authority': authority,
      ':path': path,
      te: 'trailers',
      'content-type': 'application/grpc',
      ...Object.fromEntries(service.metadata),
      ...(service.skipEnvoyHeaders ? {} : { 'x-envoy-internal': 'true', 'x-forwarded-for': net.outerAddress }),
    },
    { endStream: false },
  );
  return { host, stream };
}

/** Counts a stream at its host for as long as it is open, and takes what comes on it: answers mean nothing. */
export function holdLogStream(host: UpstreamHost, stream: ClientHttp2Stream, gone: () => void): void {
  const { stats } = host.cluster;
  host.active++;
  host.issued++;
  stats.upstream_rq_total++;
  stats.upstream_rq_active++;
  stream.on('error', () => undefined);
  stream.resume();
  stream.on('close', () => {
    host.active--;
    stats.upstream_rq_active--;
    gone();
  });
}
