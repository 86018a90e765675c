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

/** What settings name, in force at one time. */
export interface TlsSecrets {
  readonly certificates: readonly TlsCertificateProgram[];
  readonly validation: ValidationProgram | undefined;
  readonly ticketKeys: readonly Buffer[] | undefined;
}

/** What TLS settings name. */
export class NamedSecrets {
  readonly #secrets: SecretLookup;
  readonly #combined = new WeakMap<ValidationProgram, WeakMap<ValidationProgram, ValidationProgram>>();

  constructor(secrets: SecretLookup) {
    this.#secrets = secrets;
  }

  /** Undefined while any of it is missing. */
  inForce(program: CommonTlsProgram): TlsSecrets | undefined {
    const certificates = this.#certificates(program);
    const validation = this.#validation(program);
    const ticketKeys = this.#ticketKeys(program);
    if (certificates === undefined || validation === 'missing' || ticketKeys === 'missing') return undefined;
    return { certificates, validation, ticketKeys };
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

  #ticketKeys(program: Partial<DownstreamTlsProgram>): readonly Buffer[] | undefined | 'missing' {
    if (program.ticketKeysSecret === undefined) return program.ticketKeys;
    const secret = this.#secrets.get(program.ticketKeysSecret);
    return secret?.kind === 'ticket-keys' ? secret.keys : 'missing';
  }

  #validation(program: CommonTlsProgram): ValidationProgram | undefined | 'missing' {
    if (program.validationSecret === undefined) return program.validation;
    const secret = this.#secrets.get(program.validationSecret);
    if (secret?.kind !== 'validation') return 'missing';
    const validation = this.#combine(program, secret);
    const { sanMatchers, trustedCaPem, systemRoots } = validation;
    // Names are worth nothing where nobody has to vouch for them.
    return sanMatchers.length > 0 && trustedCaPem === undefined && !systemRoots ? 'missing' : validation;
  }

  #combine(program: CommonTlsProgram, secret: Extract<SecretProgram, { kind: 'validation' }>): ValidationProgram {
    if (program.validation === undefined) return secret.validation;
    let combined = this.#combined.get(program.validation);
    if (combined === undefined) this.#combined.set(program.validation, (combined = new WeakMap()));
    let validation = combined.get(secret.validation);
    if (validation === undefined)
      combined.set(secret.validation, (validation = merge(program.validation, secret.validation)));
    return validation;
  }
}

/** A combined context: what the secret has comes from it, SAN matchers and pins add up. */
function merge(inline: ValidationProgram, secret: ValidationProgram): ValidationProgram {
  return {
    trustedCaPem: secret.trustedCaPem ?? inline.trustedCaPem,
    trustedCaPath: secret.trustedCaPem === undefined ? inline.trustedCaPath : secret.trustedCaPath,
    trustBundles: secret.trustBundles ?? inline.trustBundles,
    leafRevocations: secret.leafRevocations ?? inline.leafRevocations,
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
