import { proxyId, ROOT_SECRET } from '@mizzen/control-plane';
import { certificatesIn } from './certificates.ts';
import { type Dump, DumpError, list, message, text } from './read-dump.ts';

/** The roots that a proxy trusts its peers by. */
export interface Roots {
  /** `POD.NAMESPACE`. */
  readonly pod: string;
  /** Each once, by its fingerprint. */
  readonly fingerprints: ReadonlySet<string>;
}

/** @throws DumpError where a dump has none. `asked`: how a person named the proxy. */
export function rootsOf(dump: Dump, asked: string): Roots {
  const secret = list(dump.part('SecretsConfigDump'), 'dynamicActiveSecrets').find(
    (each) => text(each, 'name') === ROOT_SECRET,
  );
  const bytes = text(message(secret, 'secret', 'validationContext', 'trustedCa'), 'inlineBytes');
  if (bytes === '') throw new DumpError(`error when retrieving ROOTCA of [${asked}]: cannot find ROOTCA from secret`);
  const id = text(message(dump.part('BootstrapConfigDump'), 'bootstrap', 'node'), 'id');
  const certificates = certificatesIn(Buffer.from(bytes, 'base64').toString('utf8'));
  return { pod: proxyId(id), fingerprints: new Set(certificates.map(({ fingerprint256 }) => fingerprint256)) };
}

/** One of the roots is enough for two proxies to trust each other. */
export function sameRoots(a: Roots, b: Roots): boolean {
  return [...a.fingerprints].some((each) => b.fingerprints.has(each));
}
