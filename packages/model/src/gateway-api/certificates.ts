import { X509Certificate, createPrivateKey } from 'node:crypto';
import { isRecord, type Resource } from '@mizzen/api';

/** Why a Secret holds no certificate with its key; undefined when it does. Keys are read as Istio reads them. */
export function certificateProblem({ body }: Resource): string | undefined {
  const certificate = text(body, 'cert') ?? text(body, 'tls.crt');
  const key = text(body, 'key') ?? text(body, 'tls.key');
  if (certificate === undefined || key === undefined) return 'it has no `tls.crt` and `tls.key`';
  try {
    const own = new X509Certificate(certificate).checkPrivateKey(createPrivateKey(key));
    return own ? undefined : 'its key is not that of its certificate';
  } catch {
    return 'its certificate or its key cannot be read';
  }
}

function text(body: Readonly<Record<string, unknown>>, key: string): Buffer | undefined {
  for (const [field, encoding] of [
    ['stringData', 'utf8'],
    ['data', 'base64'],
  ] as const) {
    const value = isRecord(body[field]) ? body[field][key] : undefined;
    if (typeof value === 'string' && value !== '') return Buffer.from(value, encoding);
  }
  return undefined;
}
