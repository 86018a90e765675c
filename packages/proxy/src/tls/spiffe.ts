import type { X509Certificate } from 'node:crypto';
import { isLeaf } from './certificate-fields.ts';
import { pathTo } from './path.ts';

/** Authorities by trust domain. */
export type TrustBundles = ReadonlyMap<string, readonly X509Certificate[]>;

/** The trust domain of a SPIFFE ID; undefined: it is none. */
export function trustDomain(uri: string): string | undefined {
  if (!uri.startsWith('spiffe://')) return undefined;
  const rest = uri.slice('spiffe://'.length);
  const slash = rest.indexOf('/');
  return slash < 0 ? undefined : rest.slice(0, slash);
}

/**
 * Why a peer is not of the trust domain that it says it is of, as Envoy words it; undefined: it is. `chain` is what the
 * peer has shown, its own certificate first: that an authority of some trust domain vouches for it has been found before,
 * but not whether one of this trust domain does.
 */
export function checkTrustDomain(
  chain: readonly X509Certificate[],
  uris: readonly string[],
  bundles: TrustBundles,
  now: number | undefined,
): string | undefined {
  const leaf = chain[0]!;
  if (!isLeaf(leaf)) return 'SPIFFE precheck failed';
  const bundle = uris.map((uri) => bundles.get(trustDomain(uri) ?? '')).find((each) => each !== undefined);
  if (bundle === undefined) return 'no trust bundle store';
  return pathTo(leaf, chain, bundle, now) !== undefined
    ? undefined
    : 'X509_verify_cert: certificate verification error at depth 0: unable to get local issuer certificate';
}
