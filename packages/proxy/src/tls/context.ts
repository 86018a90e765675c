import type { SecureContext, SecureContextOptions } from 'node:tls';
import { tls } from '../node-tls.ts';
import type { AccessLogSink } from '../http/runtime.ts';
import type {
  CommonTlsProgram,
  TlsCertificateProgram,
  UpstreamTlsProgram,
  ValidationProgram,
} from '../program/types.ts';
import { cipherList, suitesOf } from './ciphers.ts';
import { clientOptions, contextOptions, serverOptions, withoutTickets } from './context-options.ts';
import { keyLogger, type KeyLogger } from './key-log.ts';
import { NamedSecrets, type SecretLookup, type TlsSecrets } from './named-secrets.ts';
import { giveNoTickets, useTicketKeys } from './ticket-keys.ts';

/** A context and what is checked beside it, for one state of the secrets. */
export interface TlsMaterial {
  readonly context: SecureContext;
  readonly certificate: TlsCertificateProgram | undefined;
  readonly validation: ValidationProgram | undefined;
}

/** With one certificate, or none: each authority that is rotated makes for another one. Who has one keeps it. */
const MAX_CONTEXTS = 64;

/**
 * Makes SecureContexts from compiled TLS settings and the secrets they name. The same settings with the same secrets
 * share one context, whichever cluster or chain they belong to; a rotated secret gives a new one, and what was connected
 * with the old one keeps it.
 */
export class TlsContexts {
  readonly #secrets: NamedSecrets;
  readonly #openLog: ((path: string) => AccessLogSink) | undefined;
  readonly #anonymous = new Map<string, SecureContext>();
  readonly #byCertificate = new WeakMap<TlsCertificateProgram, Map<string, SecureContext>>();

  /** Key logs are opened by `openLog`; without it there are none. */
  constructor(secrets: SecretLookup, openLog?: (path: string) => AccessLogSink) {
    this.#openLog = openLog;
    this.#secrets = new NamedSecrets(secrets);
  }

  /**
   * For a client, which has one certificate at most. Undefined while a secret it names is missing. Throws what OpenSSL
   * throws for unusable material.
   */
  client(program: UpstreamTlsProgram, last: TlsMaterial | undefined): TlsMaterial | undefined {
    const secrets = this.secrets(program);
    if (secrets === undefined) return undefined;
    const { certificates, validation } = secrets;
    const certificate = certificates[0];
    if (last !== undefined && last.certificate === certificate && last.validation === validation) return last;
    return this.material(program, 'client', certificate, validation, cipherList(suitesOf(program)));
  }

  keyLogger({ keyLog }: CommonTlsProgram): KeyLogger | undefined {
    return keyLog === undefined || this.#openLog === undefined
      ? undefined
      : keyLogger(keyLog, this.#openLog(keyLog.path));
  }

  /** What the settings name, in force now. Undefined while any of it is missing. */
  secrets(program: CommonTlsProgram): TlsSecrets | undefined {
    return this.#secrets.inForce(program);
  }

  material(
    program: CommonTlsProgram,
    side: 'client' | 'server',
    certificate: TlsCertificateProgram | undefined,
    validation: ValidationProgram | undefined,
    ciphers: string,
    ticketKeys?: readonly Buffer[],
    tls13 = false,
  ): TlsMaterial {
    const context = this.#context(program, side, certificate, validation, ciphers, ticketKeys, tls13);
    return { context, certificate, validation };
  }

  #context(
    program: CommonTlsProgram,
    side: 'client' | 'server',
    certificate: TlsCertificateProgram | undefined,
    validation: ValidationProgram | undefined,
    ciphers: string,
    ticketKeys: readonly Buffer[] | undefined,
    tls13: boolean,
  ): SecureContext {
    let cache = certificate === undefined ? this.#anonymous : this.#byCertificate.get(certificate);
    if (cache === undefined) this.#byCertificate.set(certificate!, (cache = new Map()));
    const options = {
      ...contextOptions(program, validation, ciphers),
      ...(side === 'client' ? clientOptions(program) : serverOptions(program, validation, tls13)),
    };
    const ticketless = tls13 && withoutTickets(program);
    // The roots of the system are many, and told by the identifier of sessions.
    const name = JSON.stringify([side, options, ticketless, ticketKeys?.map((key) => key.toString('latin1'))]);
    let context = cache.get(name);
    if (context !== undefined) {
      // What is asked for least goes first.
      cache.delete(name);
      cache.set(name, context);
    } else {
      const trustsSystem = validation?.systemRoots === true && validation.trustedCaPem === undefined;
      context = tls().createSecureContext({
        ...options,
        ...(trustsSystem ? { ca: rootsOfSystem() } : {}),
        ...(certificate === undefined ? {} : identity(certificate)),
      });
      if (ticketless) giveNoTickets(context);
      else if (ticketKeys !== undefined) useTicketKeys(context, ticketKeys);
      cache.set(name, context);
      if (cache.size > MAX_CONTEXTS) cache.delete(cache.keys().next().value!);
    }
    return context;
  }
}

let systemRoots: string[] | undefined;

/** What whoever runs the system trusts, not what comes with Node. */
function rootsOfSystem(): string[] {
  return (systemRoots ??= [...new Set(tls().getCACertificates('system'))]);
}

function identity(certificate: TlsCertificateProgram): SecureContextOptions {
  const { certificateChainPem, privateKeyPem, passphrase, pkcs12 } = certificate;
  if (pkcs12 !== undefined) return { pfx: pkcs12, passphrase: passphrase ?? '' };
  return { cert: certificateChainPem, key: privateKeyPem, ...(passphrase === undefined ? {} : { passphrase }) };
}
