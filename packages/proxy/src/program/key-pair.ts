import type { KeyObject, X509Certificate } from 'node:crypto';
import { crypto, tls } from '../node-tls.ts';
import type { CompileContext } from './context.ts';
import type { Path } from './path.ts';
import type { TlsCertificateProgram } from './types.ts';

const CERTIFICATE =
  /-----BEGIN (?:TRUSTED |X509 )?CERTIFICATE-----[\s\S]*?-----END (?:TRUSTED |X509 )?CERTIFICATE-----/g;

/** What cannot be used for TLS is refused here, so that the last good one stays and no handshake meets it. */
export function checkKeyPair(context: CompileContext, pair: TlsCertificateProgram, path: Path): boolean {
  const chain = certificatesOf(context, pair.certificateChainPem, [...path, 'certificateChain']);
  if (chain === undefined) return false;
  let key: KeyObject;
  try {
    const { privateKeyPem, passphrase } = pair;
    key = crypto().createPrivateKey({
      key: privateKeyPem,
      format: 'pem',
      ...(passphrase === undefined ? {} : { passphrase }),
    });
  } catch (error) {
    context.refuse([...path, 'privateKey'], `is not a private key in PEM: ${(error as Error).message}`);
    return false;
  }
  if (!chain[0].checkPrivateKey(key)) {
    context.refuse([...path, 'privateKey'], 'is not the key of the certificate');
    return false;
  }
  const at = [...path, 'certificateChain'];
  if (!checkStrength(context, key, at)) return false;
  return checkUse(
    context,
    { cert: pair.certificateChainPem, key: pair.privateKeyPem, passphrase: pair.passphrase },
    at,
  );
}

const MIN_RSA_BITS = 2048;
const CURVES: ReadonlySet<string | undefined> = new Set(['prime256v1', 'secp384r1', 'secp521r1']);

/** What Envoy takes. */
function checkStrength(
  context: CompileContext,
  { asymmetricKeyType: type, asymmetricKeyDetails: details }: KeyObject,
  path: Path,
): boolean {
  if (type === 'rsa' && (details?.modulusLength ?? 0) < MIN_RSA_BITS) {
    context.refuse(path, `has an RSA key of less than ${MIN_RSA_BITS} bits`);
    return false;
  }
  if (type === 'ec' && !CURVES.has(details?.namedCurve)) {
    context.refuse(path, `has a key on the curve \`${details?.namedCurve ?? ''}\`, not on P-256, P-384 or P-521`);
    return false;
  }
  return true;
}

/** OpenSSL has an opinion of its own on what is good enough. */
function checkUse(context: CompileContext, { cert, key, passphrase }: Pair, path: Path): boolean {
  try {
    tls().createSecureContext({ cert, key, ...(passphrase === undefined ? {} : { passphrase }) });
    return true;
  } catch (error) {
    context.refuse(path, `cannot be used: ${(error as Error).message}`);
    return false;
  }
}

interface Pair {
  readonly cert: string;
  readonly key: string;
  readonly passphrase: string | undefined;
}

/** Those of a text, at least one; undefined after a refusal. */
export function certificatesOf(
  context: CompileContext,
  pem: string,
  path: Path,
): readonly [X509Certificate, ...X509Certificate[]] | undefined {
  try {
    const [first, ...others] = (pem.match(CERTIFICATE) ?? []).map((each) => new (crypto().X509Certificate)(each));
    if (first !== undefined) return [first, ...others];
    context.refuse(path, 'has no certificate in PEM');
  } catch (error) {
    context.refuse(path, `cannot be read: ${(error as Error).message}`);
  }
  return undefined;
}
