import type { X509Certificate } from 'node:crypto';
import { isLeaf } from './certificate-fields.ts';
import { pathTo } from './path.ts';

type Bundle = readonly X509Certificate[];

/** Authorities by trust domain. */
export type TrustBundles = ReadonlyMap<string, Bundle>;

/** The trust domain of a SPIFFE ID; undefined: it is none. */
export function trustDomain(uri: string): string | undefined {
  if (!uri.startsWith('spiffe://')) return undefined;
  const rest = uri.slice('spiffe://'.length);
  const slash = rest.indexOf('/');
  return slash < 0 ? undefined : rest.slice(0, slash);
}

/**
 * The authorities of the trust domain that a peer says it is of, or why there are none, as Envoy words it. That is asked
 * before anything else.
 */
export function bundleOf(leaf: X509Certificate, uris: readonly string[], bundles: TrustBundles): Bundle | string {
  if (!isLeaf(leaf)) return 'cert precheck';
  const bundle = uris.map((uri) => bundles.get(trustDomain(uri) ?? '')).find((each) => each !== undefined);
  return bundle ?? 'no trust bundle store';
}

/**
 * Why a peer is not of the trust domain that it says it is of; undefined: it is. `chain` is what the peer has shown, its own
 * certificate first: that an authority of some trust domain vouches for it has been found before, but not whether one of
 * this trust domain does.
 */
export function checkTrustDomain(
  chain: readonly X509Certificate[],
  bundle: Bundle,
  now: number | undefined,
): string | undefined {
  return pathTo(chain[0]!, chain, bundle, now) !== undefined
    ? undefined
    : 'X509_verify_cert: certificate verification error at depth 0: unable to get local issuer certificate';
}
