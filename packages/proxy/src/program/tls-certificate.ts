import type { X509Certificate } from 'node:crypto';
import { crypto, tls } from '../node-tls.ts';
import type { types } from '@mizzen/xds';
import { mustStaple } from '../tls/certificate-fields.ts';
import { parseOcspResponse } from '../tls/ocsp.ts';
import type { CompileContext } from './context.ts';
import { checkKeyPair } from './key-pair.ts';
import type { Path } from './path.ts';
import type { TlsCertificateProgram } from './types.ts';
import { dataSource } from './values.ts';

/** Undefined after a refusal. */
export function compileCertificate(
  context: CompileContext,
  certificate: types.tls.TlsCertificate,
  path: Path,
): TlsCertificateProgram | undefined {
  const { password } = certificate;
  const passphrase =
    password === undefined ? undefined : dataSource(context, password, [...path, 'password'])?.toString('utf8');
  const identity =
    certificate.pkcs12 === undefined
      ? fromPem(context, certificate, passphrase, path)
      : fromPkcs12(context, certificate, certificate.pkcs12, passphrase, path);
  if (identity === undefined) return undefined;
  const own = new (crypto().X509Certificate)(identity.certificateChainPem);
  return {
    ...identity,
    mustStaple: mustStaple(own),
    ocsp:
      certificate.ocspStaple === undefined
        ? undefined
        : compileStaple(context, certificate.ocspStaple, own, [...path, 'ocspStaple']),
  };
}

type IdentityProgram = Pick<
  TlsCertificateProgram,
  'certificateChainPem' | 'path' | 'privateKeyPem' | 'passphrase' | 'pkcs12'
>;

function fromPem(
  context: CompileContext,
  { certificateChain: chain, privateKey: key }: types.tls.TlsCertificate,
  passphrase: string | undefined,
  path: Path,
): IdentityProgram | undefined {
  if (chain === undefined) context.refuse([...path, 'certificateChain'], 'must be there');
  if (key === undefined) context.refuse([...path, 'privateKey'], 'must be there');
  if (chain === undefined || key === undefined) return undefined;
  const chainPem = dataSource(context, chain, [...path, 'certificateChain'])?.toString('latin1');
  const keyPem = dataSource(context, key, [...path, 'privateKey'])?.toString('latin1');
  if (chainPem === undefined || keyPem === undefined) return undefined;
  const pair = {
    certificateChainPem: chainPem,
    path: chain.filename,
    privateKeyPem: keyPem,
    passphrase,
    pkcs12: undefined,
  };
  return checkKeyPair(context, pair, path) ? pair : undefined;
}

/** The native part of a SecureContext, which alone can say what a PKCS#12 archive holds. */
interface NativeContext {
  getCertificate(): Buffer | null;
}

function fromPkcs12(
  context: CompileContext,
  { certificateChain, privateKey }: types.tls.TlsCertificate,
  source: types.core.DataSource,
  passphrase: string | undefined,
  path: Path,
): IdentityProgram | undefined {
  if (certificateChain !== undefined || privateKey !== undefined)
    context.refuse([...path, 'pkcs12'], 'cannot stand beside `certificateChain` or `privateKey`');
  const pkcs12 = dataSource(context, source, [...path, 'pkcs12']);
  if (pkcs12 === undefined) return undefined;
  try {
    const made = tls().createSecureContext({ pfx: pkcs12, passphrase: passphrase ?? '' });
    const der = (made.context as NativeContext).getCertificate();
    if (der !== null)
      return {
        certificateChainPem: new (crypto().X509Certificate)(der).toString(),
        path: source.filename,
        privateKeyPem: '',
        passphrase: passphrase ?? '',
        pkcs12,
      };
    context.refuse([...path, 'pkcs12'], 'holds no certificate');
  } catch (error) {
    context.refuse([...path, 'pkcs12'], `cannot be read: ${(error as Error).message}`);
  }
  return undefined;
}

function compileStaple(
  context: CompileContext,
  source: types.core.DataSource,
  certificate: X509Certificate,
  path: Path,
): TlsCertificateProgram['ocsp'] {
  if (source.inlineString !== undefined) context.refuse([...path, 'inlineString'], 'is for text; use `inlineBytes`');
  const response = dataSource(context, source, path);
  if (response === undefined || response.length === 0) return undefined;
  const parsed = parseOcspResponse(response);
  if (typeof parsed === 'string') {
    context.refuse(path, parsed);
    return undefined;
  }
  if (parsed.serial !== certificate.serialNumber.toLowerCase().replace(/^(00)+(?=.)/, ''))
    context.refuse(path, 'is about another certificate');
  return { response, nextUpdate: parsed.nextUpdate };
}
