import { type KeyObject, createPrivateKey, type webcrypto } from 'node:crypto';
import { existsSync, readFileSync, readdirSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { UsageError } from '../command.ts';

/** The private key of an issuer of tokens, as an example keeps it in `issuer/key.json`. */
export interface Issuer {
  readonly file: string;
  readonly issuer: string;
  readonly audience: string | undefined;
  readonly key: SigningKey;
}
export interface SigningKey {
  readonly privateKey: KeyObject;
  readonly algorithm: 'ES256' | 'RS256' | 'EdDSA';
  readonly id: string | undefined;
}

/** Every `issuer/key.json` in the directories given and below, or beside the files given; each once. */
export function findIssuers(paths: readonly string[]): Issuer[] {
  const files = new Set<string>();
  for (const path of paths) {
    const stat = statSync(path, { throwIfNoEntry: false });
    if (stat === undefined) throw new UsageError(`there is no file or directory \`${path}\``);
    search(stat.isDirectory() ? path : dirname(path), files, 0);
  }
  return [...files].map((file) => readIssuer(dirname(file)));
}

const DEEPEST = 6;

function search(directory: string, files: Set<string>, depth: number): void {
  const file = join(directory, 'issuer', 'key.json');
  if (existsSync(file)) files.add(file);
  if (depth >= DEEPEST) return;
  for (const entry of readdirSync(directory, { withFileTypes: true })) {
    if (!entry.isDirectory() || entry.name.startsWith('.') || entry.name === 'node_modules') continue;
    search(join(directory, entry.name), files, depth + 1);
  }
}

/** @throws UsageError when the directory holds no usable `key.json`. */
export function readIssuer(directory: string): Issuer {
  const file = join(directory, 'key.json');
  try {
    const value = JSON.parse(readFileSync(file, 'utf8')) as Partial<{ issuer: string; audience: string; key: Jwk }>;
    if (value.key === undefined || value.issuer === undefined) throw new Error('it lacks `issuer` or `key`');
    return { file, issuer: value.issuer, audience: value.audience, key: signingKey(value.key) };
  } catch (error) {
    throw new UsageError(`cannot use ${file}: ${error instanceof Error ? error.message : String(error)}`);
  }
}

type Jwk = webcrypto.JsonWebKey & { readonly kid?: string };

function signingKey(jwk: Jwk): SigningKey {
  const privateKey = createPrivateKey({ key: jwk, format: 'jwk' });
  switch (privateKey.asymmetricKeyType) {
    case 'ec':
      if (jwk.crv !== 'P-256') break;
      return { privateKey, algorithm: 'ES256', id: jwk.kid };
    case 'rsa':
      return { privateKey, algorithm: 'RS256', id: jwk.kid };
    case 'ed25519':
      return { privateKey, algorithm: 'EdDSA', id: jwk.kid };
  }
  throw new Error('the key must be RSA, Ed25519 or EC with the curve P-256');
}
