import { X509Certificate, createPrivateKey, createPublicKey, generateKeyPairSync, randomBytes } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import {
  chmodSync,
  closeSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  readFileSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { CaError } from './error.ts';
import { signCertificate, toPem } from './certificate.ts';

const TEN_YEARS = 10 * 365 * 24 * 3600 * 1000;
/** Machines whose clocks differ a little still accept what was issued a moment ago. */
export const CLOCK_SKEW = 2 * 60 * 1000;

/** The mesh's trust anchor. */
export interface Root {
  readonly key: KeyObject;
  readonly certificate: X509Certificate;
  readonly pem: string;
}

/**
 * Reads the root from `directory` (`root.pem`: key and certificate in one file, so that the two never come apart), or
 * makes one there the first time. `wall` is the time in milliseconds since the epoch.
 * What others may read is taken from them. @throws CaError `CA_ROOT_UNREADABLE` when what is there is damaged or has expired.
 */
export function loadOrCreateRoot(directory: string, organization: string, wall: number): Root {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  chmodSync(directory, 0o700);
  const file = join(directory, 'root.pem');
  const existing = read(file);
  if (existing !== undefined) return parse(existing, file, wall);
  writeOnce(file, create(organization, wall));
  return parse(readFileSync(file, 'utf8'), file, wall);
}

function create(organization: string, wall: number): string {
  const pair = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const der = signCertificate(
    {
      subject: { organization },
      issuer: { organization },
      publicKey: pair.publicKey,
      notBefore: wall - CLOCK_SKEW,
      notAfter: wall + TEN_YEARS,
      authority: true,
      issuerKey: pair.publicKey,
    },
    pair.privateKey,
  );
  return pair.privateKey.export({ type: 'pkcs8', format: 'pem' }) + toPem(der);
}

function parse(text: string, file: string, wall: number): Root {
  try {
    const key = createPrivateKey(text);
    const certificate = new X509Certificate(text);
    if (!certificate.checkPrivateKey(key)) throw new Error('the key is not the certificate’s');
    if (certificate.validToDate.getTime() <= wall) throw new Error(`it expired at ${certificate.validTo}`);
    if (createPublicKey(key).asymmetricKeyDetails?.namedCurve !== 'prime256v1') throw new Error('not a P-256 key');
    return { key, certificate, pem: toPem(certificate.raw) };
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new CaError('CA_ROOT_UNREADABLE', `cannot use the mesh's root certificate in ${file}: ${reason}`, { cause });
  }
}

function read(file: string): string | undefined {
  try {
    chmodSync(file, 0o600);
    return readFileSync(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/** Complete or not there at all; when two processes race, the first one's root stays. */
function writeOnce(file: string, text: string): void {
  const temporary = `${file}.${randomBytes(6).toString('hex')}`;
  const descriptor = openSync(temporary, 'wx', 0o600);
  try {
    try {
      // All of it, where the disk takes it in pieces.
      writeFileSync(descriptor, text);
      fsyncSync(descriptor);
    } finally {
      closeSync(descriptor);
    }
    linkSync(temporary, file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  } finally {
    unlinkSync(temporary);
  }
}
