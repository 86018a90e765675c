import { createSecureContext, type SecureContext, type SecureContextOptions } from 'node:tls';
import { constants } from 'node:crypto';
import type {
  CommonTlsProgram,
  DownstreamTlsProgram,
  SecretProgram,
  TlsCertificateProgram,
  ValidationProgram,
} from '../program/types.ts';

/** Secrets in force, by name. A rotated one is another object. */
export interface SecretLookup {
  get(name: string): SecretProgram | undefined;
}

/** A context and what is checked beside it, for one state of the secrets. */
export interface TlsMaterial {
  readonly context: SecureContext;
  readonly certificate: TlsCertificateProgram | undefined;
  readonly validation: ValidationProgram | undefined;
}

/** Envoy's suites in its order of preference; TLS 1.3's first. */
const CIPHERS_13 = 'TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256';
const CIPHERS_12 = [
  'ECDHE-ECDSA-AES128-GCM-SHA256',
  'ECDHE-RSA-AES128-GCM-SHA256',
  'ECDHE-ECDSA-CHACHA20-POLY1305',
  'ECDHE-RSA-CHACHA20-POLY1305',
  'ECDHE-ECDSA-AES256-GCM-SHA384',
  'ECDHE-RSA-AES256-GCM-SHA384',
].join(':');
const CURVES = 'X25519:P-256';

/**
 * Makes SecureContexts from compiled TLS settings and the secrets they name. The same settings with the same secrets
 * share one context, whichever cluster or chain they belong to; a rotated secret gives a new one, and what was connected
 * with the old one keeps it.
 */
export class TlsContexts {
  readonly #secrets: SecretLookup;
  readonly #anonymous = new Map<string, SecureContext>();
  readonly #byCertificate = new WeakMap<TlsCertificateProgram, Map<string, SecureContext>>();

  constructor(secrets: SecretLookup) {
    this.#secrets = secrets;
  }

  /** Undefined while a secret it names is missing. Throws what OpenSSL throws for unusable material. */
  material(
    program: CommonTlsProgram,
    side: 'client' | 'server',
    last: TlsMaterial | undefined,
  ): TlsMaterial | undefined {
    const certificates = this.#certificates(program);
    const validation = this.#validation(program);
    if (certificates === undefined || validation === 'missing') return undefined;
    const certificate = certificates[0];
    if (last !== undefined && last.certificate === certificate && last.validation === validation) return last;
    return { context: this.#context(program, side, certificates, validation), certificate, validation };
  }

  #certificates(program: CommonTlsProgram): readonly TlsCertificateProgram[] | undefined {
    if (program.certificateSecrets.length === 0) return program.certificates;
    const certificates = [...program.certificates];
    for (const name of program.certificateSecrets) {
      const secret = this.#secrets.get(name);
      if (secret?.kind !== 'certificate') return undefined;
      certificates.push(secret.certificate);
    }
    return certificates;
  }

  readonly #combined = new WeakMap<ValidationProgram, WeakMap<ValidationProgram, ValidationProgram>>();

  #validation(program: CommonTlsProgram): ValidationProgram | undefined | 'missing' {
    if (program.validationSecret === undefined) return program.validation;
    const secret = this.#secrets.get(program.validationSecret);
    if (secret?.kind !== 'validation') return 'missing';
    if (program.validation === undefined) return secret.validation;
    let combined = this.#combined.get(program.validation);
    if (combined === undefined) this.#combined.set(program.validation, (combined = new WeakMap()));
    let validation = combined.get(secret.validation);
    if (validation === undefined)
      combined.set(secret.validation, (validation = merge(program.validation, secret.validation)));
    return validation;
  }

  #context(
    program: CommonTlsProgram,
    side: 'client' | 'server',
    certificates: readonly TlsCertificateProgram[],
    validation: ValidationProgram | undefined,
  ): SecureContext {
    const [first] = certificates;
    let cache = first === undefined ? this.#anonymous : this.#byCertificate.get(first);
    if (cache === undefined) this.#byCertificate.set(first!, (cache = new Map()));
    const options = {
      ...contextOptions(program, certificates, validation),
      ...(side === 'client' ? clientOptions(program) : serverOptions(program)),
    };
    const { cert: _cert, key: _key, ...rest } = options;
    const name = JSON.stringify([
      side,
      rest,
      certificates.slice(1).map((certificate) => certificate.certificateChainPem),
    ]);
    let context = cache.get(name);
    if (context === undefined) {
      context = createSecureContext(options);
      cache.set(name, context);
    }
    return context;
  }
}

function contextOptions(
  program: CommonTlsProgram,
  certificates: readonly TlsCertificateProgram[],
  validation: ValidationProgram | undefined,
): SecureContextOptions {
  return {
    ...(certificates.length > 0
      ? {
          cert: certificates.map(({ certificateChainPem }) => certificateChainPem),
          key: certificates.map(({ privateKeyPem, passphrase }) =>
            passphrase === undefined ? { pem: privateKeyPem } : { pem: privateKeyPem, passphrase },
          ),
        }
      : {}),
    // An empty list: without any, OpenSSL would be given the roots that come with Node.
    ...(validation?.systemRoots === true && validation.trustedCaPem === undefined
      ? {}
      : { ca: validation?.trustedCaPem === undefined ? [] : [validation.trustedCaPem] }),
    ...(validation?.crlPem === undefined ? {} : { crl: validation.crlPem }),
    minVersion: program.minVersion ?? 'TLSv1.2',
    ciphers: `${CIPHERS_13}:${program.ciphers ?? CIPHERS_12}`,
    ecdhCurve: program.ecdhCurves ?? CURVES,
    honorCipherOrder: true,
    ...(program.signatureAlgorithms === undefined ? {} : { sigalgs: program.signatureAlgorithms }),
    // Without one, OpenSSL refuses to resume sessions on a server that asks for certificates.
    sessionIdContext: 'mizzen',
  };
}

/** Envoy's clients stay below TLS 1.3 unless told, so that a refused certificate is known before a request is sent. */
function clientOptions(program: CommonTlsProgram): SecureContextOptions {
  return { maxVersion: program.maxVersion ?? (program.minVersion === 'TLSv1.3' ? 'TLSv1.3' : 'TLSv1.2') };
}

function serverOptions(program: CommonTlsProgram & Partial<DownstreamTlsProgram>): SecureContextOptions {
  return {
    maxVersion: program.maxVersion ?? 'TLSv1.3',
    ...(program.preferClientCiphers === true ? { honorCipherOrder: false } : {}),
    ...(program.sessionTickets === false ? { secureOptions: constants.SSL_OP_NO_TICKET } : {}),
    ...(program.sessionTimeout === undefined ? {} : { sessionTimeout: Math.ceil(program.sessionTimeout / 1000) }),
  };
}

/** A combined context: what the secret has comes from it, SAN matchers and pins add up. */
function merge(inline: ValidationProgram, secret: ValidationProgram): ValidationProgram {
  return {
    trustedCaPem: secret.trustedCaPem ?? inline.trustedCaPem,
    systemRoots: secret.systemRoots || inline.systemRoots,
    crlPem: secret.crlPem ?? inline.crlPem,
    acceptUntrusted: secret.acceptUntrusted || inline.acceptUntrusted,
    allowExpired: secret.allowExpired || inline.allowExpired,
    certificateHashes: [...inline.certificateHashes, ...secret.certificateHashes],
    spkiHashes: [...inline.spkiHashes, ...secret.spkiHashes],
    sanMatchers: [...inline.sanMatchers, ...secret.sanMatchers],
    maxVerifyDepth: secret.maxVerifyDepth ?? inline.maxVerifyDepth,
  };
}
