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
  const { text, json, valid } = elementOf(tls, program);
  const before = mode === 'SANITIZE_SET' ? undefined : headers.getJoined(FIELD);
  if (json !== undefined && (before === undefined || before === '')) headers.set(FIELD, `[${json}]`);
  else if (json !== undefined && /^\[.*\]$/s.test(before!)) headers.set(FIELD, `${before!.slice(0, -1)},${json}]`);
  else if (mode === 'SANITIZE_SET') headers.set(FIELD, text);
  else headers.append(FIELD, text);
  if (!valid) headers.unchecked = true;
}

interface Element {
  readonly text: string;
  /** Undefined: it is to be text. */
  readonly json: string | undefined;
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
    const json = program.json === true ? buildJson(tls, program) : undefined;
    byProgram.set(program, (element = { text, json, valid: isFieldValue(text) && isFieldValue(json ?? '') }));
  }
  return element;
}

const EACH_CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----\n/g;

/** Without what there is none of. */
function buildJson(tls: PeerTls, program: ClientCertProgram): string {
  const chain = program.chain ? (tls.peerChainPem?.().match(EACH_CERTIFICATE) ?? []) : [];
  const parts: readonly (readonly [string, string | readonly string[]])[] = [
    ['by', (tls.local?.names.uri ?? [tls.localUriSan]).filter((uri) => uri !== '')],
    ['hash', tls.peerFingerprint],
    ['cert', program.cert ? tls.peerCertificatePem() : ''],
    ['chain', chain],
    ['subject', program.subject ? tls.subject : ''],
    ['uri', program.uri ? tls.uriSans : []],
    ['dns', program.dns ? tls.dnsSans : []],
    ['issuer', program.issuer === true ? (tls.certificates?.issuer ?? '') : ''],
  ];
  return JSON.stringify(Object.fromEntries(parts.filter(([, value]) => value.length > 0)));
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
