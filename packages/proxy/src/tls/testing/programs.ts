import type {
  CommonTlsProgram,
  DownstreamTlsProgram,
  SecretProgram,
  UpstreamTlsProgram,
  ValidationProgram,
} from '../../program/types.ts';
import { TlsContexts } from '../context.ts';
import type { TestCertificate } from './certificates.ts';

const COMMON: CommonTlsProgram = {
  minVersion: undefined,
  maxVersion: undefined,
  ciphers: undefined,
  ecdhCurves: undefined,
  signatureAlgorithms: undefined,
  alpnProtocols: [],
  certificates: [],
  certificateSecrets: [],
  validation: undefined,
  validationSecret: undefined,
};

export function downstream(more: Partial<DownstreamTlsProgram> = {}): DownstreamTlsProgram {
  return {
    ...COMMON,
    requireClientCertificate: true,
    sessionTickets: true,
    sessionTimeout: undefined,
    ...more,
  };
}

export function upstream(more: Partial<UpstreamTlsProgram> = {}): UpstreamTlsProgram {
  return { ...COMMON, sni: '', autoHostSni: false, autoSniSanValidation: false, maxSessionKeys: 1, ...more };
}

export function validation(rootPem: string, more: Partial<ValidationProgram> = {}): ValidationProgram {
  return {
    trustedCaPem: rootPem,
    systemRoots: false,
    crlPem: undefined,
    acceptUntrusted: false,
    allowExpired: false,
    certificateHashes: [],
    spkiHashes: [],
    sanMatchers: [],
    maxVerifyDepth: undefined,
    ...more,
  };
}

export function uriMatcher(uri: string): ValidationProgram['sanMatchers'][number] {
  return { type: 'URI', text: `exact ${uri}`, matches: (san) => san === uri };
}

export function certificateSecret(name: string, { certificatePem, keyPem }: TestCertificate): SecretProgram {
  return {
    kind: 'certificate',
    name,
    certificate: { certificateChainPem: certificatePem, privateKeyPem: keyPem, passphrase: undefined },
  };
}

export function validationSecret(name: string, rootPem: string): SecretProgram {
  return { kind: 'validation', name, validation: validation(rootPem) };
}

export function contexts(secrets: Map<string, SecretProgram>): TlsContexts {
  return new TlsContexts({ get: (name) => secrets.get(name) });
}
