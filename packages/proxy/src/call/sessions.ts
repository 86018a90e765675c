import type { ClientHttp2Session } from 'node:http2';
import { HTTP2_ALPN } from '../tls/agreed.ts';
import type { UpstreamHost } from '../types.ts';
import { CallError } from './error.ts';

const sessions = new WeakMap<UpstreamHost, Promise<ClientHttp2Session>>();
/** Calls that wait for the connection to a host; absent: it is there, or nobody has asked for one. */
const waiting = new WeakMap<UpstreamHost, number>();

/**
 * The HTTP/2 connection that calls to a host share; made when there is none, with the cluster's TLS. When the host goes,
 * or is not to be used for a while, it ends with the calls that are under way.
 */
export function sessionTo(host: UpstreamHost): Promise<ClientHttp2Session> {
  let session = sessions.get(host);
  if (session === undefined) {
    waiting.set(host, 0);
    session = open(host);
    sessions.set(host, session);
    const forget = (): void => {
      if (sessions.get(host) === session) sessions.delete(host);
    };
    session.then((opened) => {
      const unwatch = host.whenDrained?.(() => {
        forget();
        opened.close();
      });
      opened.once('close', () => {
        forget();
        unwatch?.();
      });
      opened.once('goaway', forget);
    }, forget);
  }
  const before = waiting.get(host);
  if (before !== undefined) {
    host.cluster.stats.upstream_rq_pending_total++;
    waiting.set(host, before + 1);
  }
  return session;
}

function open(host: UpstreamHost): Promise<ClientHttp2Session> {
  return new Promise((resolve, reject) => {
    host.connect(
      (socket) => {
        waiting.delete(host);
        // Half of a connection is of no use to HTTP/2, and nobody else would notice.
        socket.allowHalfOpen = false;
        const session = process
          .getBuiltinModule('node:http2')
          .connect(`http://${host.authority}`, { createConnection: () => socket });
        // Whoever has a call on it hears of it by the call.
        session.on('error', () => undefined);
        session.unref();
        resolve(session);
      },
      ({ kind, reason }) => {
        for (let left = waiting.get(host) ?? 0; left > 0; left--) {
          host.cluster.stats.upstream_rq_pending_failure_eject++;
          host.report('connect-failure');
        }
        waiting.delete(host);
        reject(new CallError('connection', `${host.authority}: ${reason === '' ? kind : reason}`, 14));
      },
      HTTP2_ALPN,
    );
  });
}
