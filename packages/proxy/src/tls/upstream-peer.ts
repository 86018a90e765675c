import type { X509Certificate } from 'node:crypto';
import { isTls } from '../node-tls.ts';
import type { PeerTls, UpstreamHost, UpstreamSocket } from '../types.ts';
import { localCertificate, Peer } from './peer.ts';

/** What hosts have shown: Node does not tell it of sessions that are resumed. */
const shown = new WeakMap<UpstreamHost, X509Certificate>();

/** What a connection to a host agreed on; undefined: no TLS. It must be asked for while the connection is open. */
export function upstreamPeer(socket: UpstreamSocket, host: UpstreamHost): PeerTls | undefined {
  if (!isTls(socket)) return undefined;
  let certificate = socket.getPeerX509Certificate();
  if (certificate !== undefined) shown.set(host, certificate);
  else if (socket.isSessionReused()) certificate = shown.get(host);
  return new Peer(socket, true, localCertificate(host.ownCertificate), certificate);
}
