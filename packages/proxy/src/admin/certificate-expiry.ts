import { crypto } from '../node-tls.ts';
import type { SecretStore } from '../xds/secret-store.ts';

/** When certificates that were read before expire: they seldom change, and are asked for at every scrape. */
interface Read {
  readonly pem: string;
  /** Milliseconds since the epoch. */
  readonly end: number;
}

/** How long each certificate of a proxy lasts, by the name that Istio's agent has for that. */
export class CertificateExpiry {
  readonly #secrets: Pick<SecretStore, 'entries' | 'get'>;
  readonly #known = new Map<string, Read>();

  constructor(secrets: Pick<SecretStore, 'entries' | 'get'>) {
    this.#secrets = secrets;
  }

  /** In Prometheus' text format; `wall` in milliseconds since the epoch. */
  text(wall: number): string {
    const lines = [...this.#secrets.entries()].flatMap(([name]) => {
      const end = this.#endOf(name);
      if (end === undefined) return [];
      const label = name.replaceAll('\\', '\\\\').replaceAll('"', '\\"');
      return [`istio_agent_cert_expiry_seconds{resource_name="${label}"} ${(end - wall) / 1000}\n`];
    });
    return lines.length === 0 ? '' : `# TYPE istio_agent_cert_expiry_seconds gauge\n${lines.join('')}`;
  }

  #endOf(name: string): number | undefined {
    const secret = this.#secrets.get(name);
    const pem =
      secret?.kind === 'certificate'
        ? secret.certificate.certificateChainPem
        : secret?.kind === 'validation'
          ? secret.validation.trustedCaPem
          : undefined;
    if (pem === undefined) return undefined;
    const known = this.#known.get(name);
    if (known?.pem === pem) return known.end;
    const end = firstEnd(pem);
    if (end !== undefined) this.#known.set(name, { pem, end });
    return end;
  }
}

/** A chain lasts as long as the first of its certificates to expire. */
function firstEnd(pem: string): number | undefined {
  const blocks = pem.match(/-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g) ?? [];
  const ends = blocks.flatMap((block) => {
    try {
      return [new (crypto().X509Certificate)(block).validToDate.getTime()];
    } catch {
      return [];
    }
  });
  return ends.length === 0 ? undefined : Math.min(...ends);
}
