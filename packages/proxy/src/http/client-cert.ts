import type { HcmProgram } from '../program/types.ts';
import type { PeerTls } from '../types.ts';
import type { Headers } from './headers.ts';

const FIELD = 'x-forwarded-client-cert';

/** Sanitises, keeps or adds `x-forwarded-client-cert`, as `forward_client_cert_details` says. */
export function forwardClientCert(headers: Headers, tls: PeerTls | undefined, program: HcmProgram): void {
  const mode = program.forwardClientCert;
  if (mode === 'ALWAYS_FORWARD_ONLY') return;
  if (mode === 'SANITIZE' || tls === undefined || !tls.authenticated) {
    headers.remove(FIELD);
    return;
  }
  if (mode === 'FORWARD_ONLY') return;
  const element = elementOf(tls, program);
  if (mode === 'SANITIZE_SET') headers.set(FIELD, element);
  else headers.append(FIELD, element);
}

const elements = new WeakMap<PeerTls, WeakMap<HcmProgram, string>>();

/** The element for a peer; the same for all requests of a connection. */
function elementOf(tls: PeerTls, program: HcmProgram): string {
  let byProgram = elements.get(tls);
  if (byProgram === undefined) elements.set(tls, (byProgram = new WeakMap()));
  let element = byProgram.get(program);
  if (element === undefined) byProgram.set(program, (element = build(tls, program)));
  return element;
}

function build(tls: PeerTls, program: HcmProgram): string {
  const parts: string[] = [];
  const details = program.clientCertDetails;
  if (tls.localUriSan !== '') parts.push(`By=${tls.localUriSan}`);
  if (tls.peerFingerprint !== '') parts.push(`Hash=${tls.peerFingerprint}`);
  if (details.cert) {
    const pem = tls.peerCertificatePem();
    if (pem !== '') parts.push(`Cert="${encodeURIComponent(pem)}"`);
  }
  if (details.subject) parts.push(`Subject="${tls.subject}"`);
  if (details.uri) {
    for (const uri of tls.uriSans) parts.push(`URI=${uri}`);
    if (tls.uriSans.length === 0) parts.push('URI=');
  }
  if (details.dns) for (const name of tls.dnsSans) parts.push(`DNS=${name}`);
  return parts.join(';');
}
