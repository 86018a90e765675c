import type { KeyObject, X509Certificate } from 'node:crypto';
import { crypto } from '../node-tls.ts';
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
  if (chain[0]!.checkPrivateKey(key)) return true;
  context.refuse([...path, 'privateKey'], 'is not the key of the certificate');
  return false;
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
