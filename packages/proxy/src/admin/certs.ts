import type { X509Certificate } from 'node:crypto';
import { crypto } from '../node-tls.ts';
import type { CommonTlsProgram, TlsCertificateProgram, UpstreamTransportProgram } from '../program/types.ts';
import { json, type AdminAnswer, type AdminContext } from './context.ts';

interface Pair {
  readonly ca: { readonly pem: string; readonly path: string | undefined } | undefined;
  readonly chain: TlsCertificateProgram | undefined;
}

/** `/certs`: certificates of all TLS contexts in force, with what they hold and until when. */
export function certs(context: AdminContext): AdminAnswer {
  const seen = new Set<string>();
  const certificates: object[] = [];
  for (const { ca, chain } of pairs(context)) {
    const key = `${ca?.pem ?? ''}\n${chain?.certificateChainPem ?? ''}`;
    if (key === '\n' || seen.has(key)) continue;
    seen.add(key);
    certificates.push({
      ca_cert: ca === undefined ? [] : details(ca.pem, ca.path, context),
      cert_chain: chain === undefined ? [] : details(chain.certificateChainPem, chain.path, context),
    });
  }
  return json({ certificates });
}

/** Days until the first certificate in force expires, as Envoy's gauge has it without any. */
export function daysUntilFirstExpiry(context: AdminContext): number {
  let first = Infinity;
  for (const { ca, chain } of pairs(context)) {
    for (const pem of [ca?.pem, chain?.certificateChainPem]) {
      for (const certificate of pem === undefined ? [] : parse(pem)) {
        first = Math.min(first, certificate.validToDate.getTime());
      }
    }
  }
  return first === Infinity ? 0xffffffff : days(first, context);
}

function* pairs({ node }: AdminContext): Generator<Pair> {
  const contexts: CommonTlsProgram[] = [];
  for (const { listener } of node.listeners.active()) {
    const { chains, defaultChain } = listener.program;
    for (const { tls } of defaultChain === undefined ? chains : [...chains, defaultChain]) {
      if (tls !== undefined) contexts.push(tls);
    }
  }
  for (const { program } of node.clusters.active()) {
    for (const transport of [program.transport, ...program.transportMatches.map((match) => match.transport)]) {
      const tls = tlsOf(transport);
      if (tls !== undefined) contexts.push(tls);
    }
  }
  for (const tls of contexts) {
    const chains = [...tls.certificates];
    for (const name of tls.certificateSecrets) {
      const secret = node.secrets.get(name);
      if (secret?.kind === 'certificate') chains.push(secret.certificate);
    }
    const validation = tls.validationSecret === undefined ? undefined : node.secrets.get(tls.validationSecret);
    const fetched = validation?.kind === 'validation' ? validation.validation : undefined;
    const roots = fetched?.trustedCaPem === undefined ? tls.validation : fetched;
    const ca = roots?.trustedCaPem === undefined ? undefined : { pem: roots.trustedCaPem, path: roots.trustedCaPath };
    if (chains.length === 0) yield { ca, chain: undefined };
    for (const chain of chains) yield { ca, chain };
  }
}

function tlsOf(transport: UpstreamTransportProgram): CommonTlsProgram | undefined {
  if (transport.kind === 'tls') return transport.tls;
  return transport.kind === 'proxy_protocol' ? tlsOf(transport.inner) : undefined;
}

function parse(pem: string): X509Certificate[] {
  const blocks = pem.match(/-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g) ?? [];
  return blocks.flatMap((block) => {
    try {
      return [new (crypto().X509Certificate)(block)];
    } catch {
      return [];
    }
  });
}

/** Of a chain Envoy tells the first certificate, of roots the first, too. */
function details(pem: string, path: string | undefined, context: AdminContext): object[] {
  const [certificate] = parse(pem);
  if (certificate === undefined) return [];
  return [
    {
      path: path ?? '<inline>',
      serial_number: certificate.serialNumber.toLowerCase(),
      subject_alt_names: names(certificate.subjectAltName),
      days_until_expiration: String(Math.max(0, days(certificate.validToDate.getTime(), context))),
      valid_from: certificate.validFromDate.toISOString().replace('.000Z', 'Z'),
      expiration_time: certificate.validToDate.toISOString().replace('.000Z', 'Z'),
    },
  ];
}

function days(until: number, { deps }: AdminContext): number {
  return Math.floor((until - deps.clock.wall()) / 86_400_000);
}

function names(text: string | undefined): object[] {
  return (text ?? '').split(', ').flatMap((name): object[] => {
    if (name.startsWith('URI:')) return [{ uri: name.slice(4) }];
    if (name.startsWith('DNS:')) return [{ dns: name.slice(4) }];
    if (name.startsWith('IP Address:')) return [{ ip_address: name.slice(11) }];
    return [];
  });
}
