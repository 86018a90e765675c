import type { X509Certificate } from 'node:crypto';
import { crypto } from '../node-tls.ts';
import type { CommonTlsProgram, TlsCertificateProgram, UpstreamTransportProgram } from '../program/types.ts';
import type { SecretLookup } from './named-secrets.ts';

/** What a TLS context holds; `name`: the secret that it is from. */
export interface Held {
  readonly ca:
    | { readonly pem: string; readonly path: string | undefined; readonly name: string | undefined }
    | undefined;
  readonly chains: readonly {
    readonly certificate: TlsCertificateProgram;
    readonly path: string | undefined;
    readonly name: string | undefined;
  }[];
}

/** Undefined while one of its secrets has not come. */
export function heldBy(tls: CommonTlsProgram, secrets: SecretLookup): Held | undefined {
  const chains: Held['chains'][number][] = tls.certificates.map((certificate) => ({
    certificate,
    path: certificate.path,
    name: undefined,
  }));
  for (const name of tls.certificateSecrets) {
    const secret = secrets.get(name);
    if (secret?.kind !== 'certificate') return undefined;
    // Envoy has read the files that secrets name before it makes anything of them.
    chains.push({ certificate: secret.certificate, path: undefined, name });
  }
  const { validationSecret: name } = tls;
  const secret = name === undefined ? undefined : secrets.get(name);
  const fetched = secret?.kind === 'validation' ? secret.validation : undefined;
  if (name !== undefined && fetched === undefined) return undefined;
  const pem = fetched?.trustedCaPem ?? tls.validation?.trustedCaPem;
  const path = fetched?.trustedCaPem === undefined ? tls.validation?.trustedCaPath : undefined;
  return { ca: pem === undefined ? undefined : { pem, path, name }, chains };
}

/** The TLS of a transport, whatever is around it. */
export function tlsOf(transport: UpstreamTransportProgram): CommonTlsProgram | undefined {
  if (transport.kind === 'tls') return transport.tls;
  return transport.kind === 'proxy_protocol' ? tlsOf(transport.inner) : undefined;
}

/** Many contexts hold the same ones. */
const read = new Map<string, readonly X509Certificate[]>();
const MAX_READ = 64;

/** The certificates of a text that can be read. */
export function certificatesOf(pem: string): readonly X509Certificate[] {
  let certificates = read.get(pem);
  if (certificates === undefined) {
    const blocks = pem.match(/-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g) ?? [];
    certificates = blocks.flatMap((block) => {
      try {
        return [new (crypto().X509Certificate)(block)];
      } catch {
        return [];
      }
    });
    if (read.size >= MAX_READ) read.clear();
    read.set(pem, certificates);
  }
  return certificates;
}
