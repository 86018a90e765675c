import type { X509Certificate } from 'node:crypto';
import { crypto } from '../node-tls.ts';
import type { CommonTlsProgram, TlsCertificateProgram, UpstreamTransportProgram } from '../program/types.ts';
import { json, type AdminAnswer, type AdminContext } from './context.ts';

/** What a TLS context holds. */
interface Held {
  readonly ca: { readonly pem: string; readonly path: string | undefined } | undefined;
  readonly chains: readonly (TlsCertificateProgram & { readonly path?: string | undefined })[];
}

/** `/certs`: what each TLS context in force holds and until when, listeners' first, in the order of the configuration. */
export function certs(context: AdminContext): AdminAnswer {
  const certificates = [...contexts(context)].map(({ ca, chains }) => ({
    ca_cert: ca === undefined ? [] : details(ca.pem, ca.path, context),
    cert_chain: chains.flatMap((chain) => details(chain.certificateChainPem, chain.path, context)),
  }));
  return json({ certificates });
}

/** Days until the first certificate in force expires, as Envoy's gauge has it without any. */
export function daysUntilFirstExpiry(context: AdminContext): number {
  let first = Infinity;
  for (const { ca, chains } of contexts(context)) {
    for (const pem of [ca?.pem ?? '', ...chains.map((chain) => chain.certificateChainPem)]) {
      for (const certificate of parse(pem)) first = Math.min(first, certificate.validToDate.getTime());
    }
  }
  return first === Infinity ? 0xffffffff : days(first, context);
}

/** 0 where nothing is stapled, or what is has expired. */
export function secondsUntilFirstStaple(context: AdminContext): number {
  let first = Infinity;
  for (const { chains } of contexts(context))
    for (const { ocsp } of chains) if (ocsp !== undefined) first = Math.min(first, ocsp.nextUpdate);
  return first === Infinity ? 0 : Math.max(0, Math.trunc((first - context.deps.clock.wall()) / 1000));
}

/** Those whose secrets have come. */
function* contexts({ node }: AdminContext): Generator<Held> {
  for (const tls of programs(node)) {
    const chains: Held['chains'][number][] = [...tls.certificates];
    let missing = false;
    for (const name of tls.certificateSecrets) {
      const secret = node.secrets.get(name);
      // Envoy has read the files that secrets name before it makes anything of them.
      if (secret?.kind === 'certificate') chains.push({ ...secret.certificate, path: undefined });
      else missing = true;
    }
    const { validationSecret } = tls;
    const secret = validationSecret === undefined ? undefined : node.secrets.get(validationSecret);
    const fetched = secret?.kind === 'validation' ? secret.validation : undefined;
    if (missing || (validationSecret !== undefined && fetched === undefined)) continue;
    const own = tls.validation?.trustedCaPem;
    const pem = fetched?.trustedCaPem ?? own;
    const path = fetched?.trustedCaPem === undefined ? tls.validation?.trustedCaPath : undefined;
    yield { ca: pem === undefined ? undefined : { pem, path }, chains };
  }
}

function* programs({ listeners, clusters }: AdminContext['node']): Generator<CommonTlsProgram> {
  for (const { listener } of listeners.active()) {
    const { chains, defaultChain } = listener.program;
    for (const { tls } of defaultChain === undefined ? chains : [...chains, defaultChain])
      if (tls !== undefined) yield tls;
  }
  for (const { program } of clusters.active()) {
    for (const transport of [program.transport, ...program.transportMatches.map((match) => match.transport)]) {
      const tls = tlsOf(transport);
      if (tls !== undefined) yield tls;
    }
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
  // Certificates and Envoy count whole seconds.
  return Math.floor((until - Math.floor(deps.clock.wall() / 1000) * 1000) / 86_400_000);
}

function names(text: string | undefined): object[] {
  return (text ?? '').split(', ').flatMap((name): object[] => {
    if (name.startsWith('URI:')) return [{ uri: name.slice(4) }];
    if (name.startsWith('DNS:')) return [{ dns: name.slice(4) }];
    if (name.startsWith('IP Address:')) return [{ ip_address: name.slice(11) }];
    return [];
  });
}
