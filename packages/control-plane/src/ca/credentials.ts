import { X509Certificate, createPrivateKey } from 'node:crypto';
import type { Secret } from '@mizzen/xds';

/** Reads a ConfigMap or Secret: its keys and bytes; undefined when it is not there. */
export type ReadData = (
  kind: 'Secret' | 'ConfigMap',
  namespace: string,
  name: string,
) => ReadonlyMap<string, Buffer> | undefined;

/** A certificate named by a `credentialName`, or why there is none. */
export type Credential =
  | { readonly secret: Secret }
  | { readonly problem: string; /** The Secret is there, but of no use. */ readonly unusable: boolean };

const CA_SUFFIX = '-cacert';

/**
 * The secret that a gateway in `namespace` asks for by `kubernetes://NAME`, `kubernetes-gateway://NAMESPACE/NAME` or
 * `configmap://NAMESPACE/NAME`, with `-cacert` for the roots that clients are checked against. Keys are read as Istio
 * reads them: `tls.crt`, `tls.key`, `ca.crt`, `ca.crl` and `tls.ocsp-staple`, or `cert`, `key`, `cacert` and `crl`. A
 * proxy may read only the Secrets of its own namespace. Undefined for names of another kind.
 */
export function resolveCredential(resourceName: string, namespace: string, read: ReadData): Credential | undefined {
  const parsed = parse(resourceName, namespace);
  if (parsed === undefined) return undefined;
  const { kind, name } = parsed;
  if (parsed.namespace !== namespace) {
    return problem(`a gateway in \`${namespace}\` may not read secrets of \`${parsed.namespace}\``);
  }
  const wrap = (result: Omit<Secret, 'name'> | string): Credential =>
    typeof result === 'string' ? problem(result, true) : { secret: { name: resourceName, ...result } };
  const own = read(kind, namespace, name);
  if (kind === 'ConfigMap')
    return own === undefined ? problem(notFound(kind, namespace, name)) : wrap(roots(own, name));
  if (!name.endsWith(CA_SUFFIX))
    return own === undefined ? problem(notFound(kind, namespace, name)) : wrap(pair(own, name));
  if (own !== undefined) return wrap(roots(own, name));
  const base = name.slice(0, -CA_SUFFIX.length);
  const shared = read(kind, namespace, base);
  return shared === undefined ? problem(notFound(kind, namespace, base)) : wrap(roots(shared, base));
}

function parse(
  resourceName: string,
  namespace: string,
): { readonly kind: 'Secret' | 'ConfigMap'; readonly namespace: string; readonly name: string } | undefined {
  const match = /^(kubernetes|kubernetes-gateway|configmap):\/\/(?:([^/]+)\/)?([^/]+)$/.exec(resourceName);
  if (match === null) return undefined;
  const [, scheme, own, name = ''] = match;
  return { kind: scheme === 'configmap' ? 'ConfigMap' : 'Secret', namespace: own ?? namespace, name };
}

const problem = (text: string, unusable = false): Credential => ({ problem: text, unusable });
const notFound = (kind: string, namespace: string, name: string): string =>
  `there is no ${kind} \`${namespace}/${name}\``;

type Data = ReadonlyMap<string, Buffer>;

function value(data: Data, ...keys: readonly string[]): Buffer | undefined {
  for (const key of keys) {
    const found = data.get(key);
    if (found !== undefined && found.length > 0) return found;
  }
  return undefined;
}

function pair(data: Data, name: string): Omit<Secret, 'name'> | string {
  const generic = value(data, 'cert') !== undefined && value(data, 'key') !== undefined;
  const [certKey, keyKey] = generic ? ['cert', 'key'] : ['tls.crt', 'tls.key'];
  const certificate = value(data, certKey);
  const key = value(data, keyKey);
  if (certificate === undefined || key === undefined) {
    const keys = [...data.keys()].map((each) => `\`${each}\``).join(', ');
    return `Secret \`${name}\` has neither \`tls.crt\` and \`tls.key\` nor \`cert\` and \`key\`${keys === '' ? '' : `, but ${keys}`}`;
  }
  const wrong = checkPair(certificate, key);
  if (wrong !== undefined) return `Secret \`${name}\`: ${wrong}`;
  const staple = value(data, 'tls.ocsp-staple');
  return {
    tlsCertificate: {
      certificateChain: inline(certificate),
      privateKey: inline(key),
      ...(staple === undefined ? {} : { ocspStaple: inline(staple) }),
    },
  };
}

function checkPair(certificate: Buffer, key: Buffer): string | undefined {
  let parsed: X509Certificate;
  try {
    parsed = new X509Certificate(certificate);
  } catch {
    return 'its certificate cannot be read';
  }
  try {
    return parsed.checkPrivateKey(createPrivateKey(key)) ? undefined : 'its key is not that of its certificate';
  } catch {
    return 'its key cannot be read';
  }
}

function roots(data: Data, name: string): Omit<Secret, 'name'> | string {
  const certificates = value(data, 'cacert', 'ca.crt');
  if (certificates === undefined) return `Secret \`${name}\` has neither \`ca.crt\` nor \`cacert\``;
  try {
    new X509Certificate(certificates);
  } catch {
    return `Secret \`${name}\`: its root certificate cannot be read`;
  }
  const list = value(data, 'ca.crl', 'crl');
  return {
    validationContext: { trustedCa: inline(certificates), ...(list === undefined ? {} : { crl: inline(list) }) },
  };
}

const inline = (bytes: Buffer): { inlineBytes: string } => ({ inlineBytes: bytes.toString('base64') });
