import type { DownstreamTlsProgram, TlsCertificateProgram } from '../program/types.ts';
import { cipherListFor, suitesOf, takesEcdsa } from './ciphers.ts';
import type { ClientHello } from './client-hello.ts';
import type { TlsContexts, TlsMaterial } from './context.ts';
import type { TlsSecrets } from './named-secrets.ts';
import { localCertificate, type LocalCertificate } from './peer.ts';

interface Choice {
  readonly certificate: TlsCertificateProgram;
  readonly local: LocalCertificate;
}

const STATUS_REQUEST = 5;
const TLS_13 = 0x0304;

/** What is stapled: a response, none though the client asks, or nothing since it does not; `fail`: the certificate must not be shown. */
export type Staple = Buffer | 'none' | 'unasked' | 'fail';

/** The certificates of a listener's TLS context, and which of them a client is shown. */
export class ServerCertificates {
  readonly #program: DownstreamTlsProgram;
  readonly #contexts: TlsContexts;
  #secrets: TlsSecrets | undefined;
  #choices: readonly Choice[] = [];
  readonly #byName = new Map<string, Choice[]>();
  readonly #materials = new Map<string, TlsMaterial>();

  constructor(program: DownstreamTlsProgram, contexts: TlsContexts) {
    this.#program = program;
    this.#contexts = contexts;
  }

  /** Undefined while a secret is missing. Throws what OpenSSL throws for unusable material. */
  choose(hello: ClientHello, now: number): { readonly material: TlsMaterial; readonly staple: Staple } | undefined {
    // A chain that is being drained is the last to know a secret that nobody else names any more.
    const secrets = this.#contexts.secrets(this.#program) ?? this.#secrets;
    if (secrets === undefined || secrets.certificates.length === 0) return undefined;
    if (!same(secrets, this.#secrets)) this.#use(secrets);
    const { maxVersion, fips } = this.#program;
    const ciphers = suitesOf(this.#program);
    const tls13 = maxVersion === undefined || maxVersion === 'TLSv1.3' || fips === true;
    const choice = this.#choose(hello, tls13, now);
    const { certificate, local } = choice;
    const list = cipherListFor(ciphers, hello, tls13, local.curve === undefined ? 'rsa' : 'ec');
    const agreed13 = tls13 && hello.supportedVersions.includes(TLS_13);
    const key = `${this.#choices.indexOf(choice)} ${agreed13} ${list}`;
    let material = this.#materials.get(key);
    if (material === undefined) {
      const { validation, ticketKeys } = secrets;
      material = this.#contexts.material(this.#program, 'server', certificate, validation, list, ticketKeys, agreed13);
      this.#materials.set(key, material);
    }
    return { material, staple: this.#staple(choice, hello, now) };
  }

  /** What is shown to whoever has not said anything yet. */
  first(): TlsCertificateProgram | undefined {
    return (this.#contexts.secrets(this.#program) ?? this.#secrets)?.certificates[0];
  }

  #staple({ certificate }: Choice, hello: ClientHello, now: number): Staple {
    if (!hello.extensions.includes(STATUS_REQUEST)) return 'unasked';
    const { ocsp, mustStaple } = certificate;
    const valid = ocsp !== undefined && ocsp.nextUpdate > now;
    if (valid) return ocsp.response;
    switch (mustStaple === true ? 'MUST_STAPLE' : this.#program.ocspPolicy) {
      case 'MUST_STAPLE':
        return 'fail';
      case 'STRICT_STAPLING':
        return ocsp === undefined ? 'none' : 'fail';
      default:
        return 'none';
    }
  }

  #use(secrets: TlsSecrets): void {
    this.#secrets = secrets;
    this.#materials.clear();
    this.#byName.clear();
    this.#choices = secrets.certificates.map((certificate) => ({ certificate, local: localCertificate(certificate) }));
    for (const choice of this.#choices) {
      for (const name of serverNames(choice.local)) {
        const there = this.#byName.get(name);
        if (there === undefined) this.#byName.set(name, [choice]);
        else there.push(choice);
      }
    }
  }

  /**
   * As Envoy: one with the server name (exactly, in the same case, then by wildcard) and a key of the kind the client prefers; without a
   * server name, or with `fullScanCertsOnSniMismatch`, any of that kind; else the first.
   */
  #choose(hello: ClientHello, tls13: boolean, now: number): Choice {
    const first = this.#choices[0]!;
    if (this.#choices.length === 1) return first;
    const { serverNameAsSent: serverName } = hello;
    const groups = suitesOf(this.#program);
    const ecdsa = (curve: string): boolean => takesEcdsa(hello, curve, groups, tls13);
    const takesAny = ['prime256v1', 'secp384r1', 'secp521r1'].some(ecdsa);
    let candidate: Choice | undefined;
    const among = (choices: readonly Choice[]): Choice | undefined => {
      for (const choice of choices) {
        if (this.#staple(choice, hello, now) === 'fail') continue;
        const { curve } = choice.local;
        if (curve === undefined ? !takesAny : ecdsa(curve)) return choice;
        if (curve === undefined) candidate ??= choice;
      }
      return undefined;
    };
    const dot = serverName.indexOf('.', 1);
    const found =
      among(this.#byName.get(serverName) ?? []) ??
      (dot < 0 ? undefined : among(this.#byName.get(`*${serverName.slice(dot)}`) ?? []));
    if (found !== undefined) return found;
    if (candidate !== undefined) return candidate;
    const scans = serverName === '' || this.#program.fullScanCertificates === true;
    return (scans ? among(this.#choices) : undefined) ?? candidate ?? first;
  }
}

/** Its DNS names, or its common name where it has none. */
function serverNames({ names, subject }: LocalCertificate): readonly string[] {
  if (names.dns.length > 0) return names.dns;
  const common = /(?:^|,)CN=([^,]*)/.exec(subject)?.[1];
  return common === undefined ? [] : [common];
}

function same(a: TlsSecrets, b: TlsSecrets | undefined): boolean {
  return (
    b !== undefined &&
    a.validation === b.validation &&
    a.ticketKeys === b.ticketKeys &&
    a.certificates.length === b.certificates.length &&
    a.certificates.every((certificate, i) => certificate === b.certificates[i])
  );
}
