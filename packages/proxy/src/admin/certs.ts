import type { CommonTlsProgram } from '../program/types.ts';
import { certificatesOf, heldBy, tlsOf, type Held } from '../tls/held.ts';
import { json, type AdminAnswer, type AdminContext } from './context.ts';

/** `/certs`: what each TLS context in force holds and until when, listeners' first, in the order of the configuration. */
export function certs(context: AdminContext): AdminAnswer {
  const certificates = [...contexts(context)].map(({ ca, chains }) => ({
    ca_cert: ca === undefined ? [] : details(ca.pem, ca.path, context),
    cert_chain: chains.flatMap(({ certificate, path }) => details(certificate.certificateChainPem, path, context)),
  }));
  return json({ certificates });
}

/** Days until the first certificate in force expires, as Envoy's gauge has it without any. */
export function daysUntilFirstExpiry(context: AdminContext): number {
  let first = Infinity;
  for (const { ca, chains } of contexts(context)) {
    for (const pem of [ca?.pem ?? '', ...chains.map(({ certificate }) => certificate.certificateChainPem)]) {
      for (const certificate of certificatesOf(pem)) first = Math.min(first, certificate.validToDate.getTime());
    }
  }
  return first === Infinity ? 0xffffffff : days(first, context);
}

/** 0 where nothing is stapled, or what is has expired. */
export function secondsUntilFirstStaple(context: AdminContext): number {
  let first = Infinity;
  for (const { chains } of contexts(context))
    for (const {
      certificate: { ocsp },
    } of chains)
      if (ocsp !== undefined) first = Math.min(first, ocsp.nextUpdate);
  return first === Infinity ? 0 : Math.max(0, Math.trunc((first - context.deps.clock.wall()) / 1000));
}

/** Those whose secrets have come. */
function* contexts({ node }: AdminContext): Generator<Held> {
  for (const tls of programs(node)) {
    const held = heldBy(tls, node.secrets);
    if (held !== undefined) yield held;
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

/** Of a chain Envoy tells the first certificate, of roots the first, too. */
function details(pem: string, path: string | undefined, context: AdminContext): object[] {
  const [certificate] = certificatesOf(pem);
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
