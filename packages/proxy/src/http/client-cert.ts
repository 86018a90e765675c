import { isFieldValue } from '../program/headers.ts';
import type { ClientCertProgram, HcmProgram } from '../program/types.ts';
import type { PeerTls, RequestHead, StreamInfo } from '../types.ts';

const FIELD = 'x-forwarded-client-cert';

/** Sanitises, keeps or adds `x-forwarded-client-cert`, as `forward_client_cert_details` says. */
export function forwardClientCert(request: RequestHead, info: StreamInfo, hcm: HcmProgram): void {
  const { headers } = request;
  const { connection } = info;
  const { tls } = connection;
  const program = hcm.chooseClientCert?.({ connection, request, info }) ?? hcm.clientCert;
  const { mode } = program;
  if (mode === 'ALWAYS_FORWARD_ONLY') return;
  if (mode === 'SANITIZE' || tls === undefined || !tls.authenticated) {
    headers.remove(FIELD);
    return;
  }
  if (mode === 'FORWARD_ONLY') return;
  const { text, valid } = elementOf(tls, program);
  if (mode === 'SANITIZE_SET') headers.set(FIELD, text);
  else headers.append(FIELD, text);
  if (!valid) headers.unchecked = true;
}

interface Element {
  readonly text: string;
  /** Names in certificates may be anything. */
  readonly valid: boolean;
}
const elements = new WeakMap<PeerTls, WeakMap<ClientCertProgram, Element>>();

/** The element for a peer; the same for all requests of a connection. */
function elementOf(tls: PeerTls, program: ClientCertProgram): Element {
  let byProgram = elements.get(tls);
  if (byProgram === undefined) elements.set(tls, (byProgram = new WeakMap()));
  let element = byProgram.get(program);
  if (element === undefined) {
    const text = build(tls, program);
    byProgram.set(program, (element = { text, valid: isFieldValue(text) }));
  }
  return element;
}

function build(tls: PeerTls, program: ClientCertProgram): string {
  const parts: string[] = [];
  for (const uri of tls.local?.names.uri ?? [tls.localUriSan]) if (uri !== '') parts.push(`By=${uri}`);
  if (tls.peerFingerprint !== '') parts.push(`Hash=${tls.peerFingerprint}`);
  if (program.cert) {
    const pem = tls.peerCertificatePem();
    if (pem !== '') parts.push(`Cert="${encodeURIComponent(pem)}"`);
  }
  if (program.chain) {
    const pem = tls.peerChainPem?.() ?? '';
    if (pem !== '') parts.push(`Chain="${encodeURIComponent(pem)}"`);
  }
  if (program.subject) parts.push(`Subject="${tls.subject}"`);
  if (program.uri) {
    for (const uri of tls.uriSans) parts.push(`URI=${uri}`);
    if (tls.uriSans.length === 0) parts.push('URI=');
  }
  if (program.dns) for (const name of tls.dnsSans) parts.push(`DNS=${name}`);
  if (program.issuer === true) parts.push(`Issuer="${tls.certificates?.issuer ?? ''}"`);
  return parts.join(';');
}
