import { status } from '@grpc/grpc-js';
import type { Identity } from '../ca/identity.ts';
import { spiffeId } from '../ca/identity.ts';
import { Refused } from '../grpc/options.ts';
import type { Peer } from '../grpc/peer.ts';
import { TokenError } from './tokens.ts';
import type { TokenVerifier } from './tokens.ts';

export interface AuthenticateOptions {
  readonly tokens: TokenVerifier;
  /** The mesh's trust domain and its other names. */
  readonly trustDomains: () => readonly [string, ...string[]];
}

/**
 * Who the other side of a TLS connection is: its certificate says so, or its token. A certificate must be of this mesh's
 * trust domain.
 * @throws Refused UNAUTHENTICATED
 */
export async function authenticate(peer: Peer, { tokens, trustDomains }: AuthenticateOptions): Promise<Identity> {
  const [trustDomain, ...aliases] = trustDomains();
  if (peer.identity !== undefined) {
    if (peer.identity.trustDomain === trustDomain || aliases.includes(peer.identity.trustDomain)) return peer.identity;
    throw unauthenticated(`\`${spiffeId(peer.identity)}\` is not of the trust domain \`${trustDomain}\``);
  }
  if (peer.token === undefined) throw unauthenticated('neither a client certificate of the mesh nor a bearer token');
  try {
    return await tokens.verify(peer.token, trustDomain);
  } catch (error) {
    if (error instanceof TokenError) throw unauthenticated(`the token is not accepted: ${error.message}`);
    throw error;
  }
}

/**
 * A node must be of the namespace and service account that its proxy proved, as far as it says them.
 * @throws Refused PERMISSION_DENIED
 */
export function checkNode(
  identity: Identity,
  node: { readonly namespace: string; readonly serviceAccount: string | undefined },
): void {
  const { namespace, serviceAccount } = node;
  if (namespace === identity.namespace && (serviceAccount ?? identity.serviceAccount) === identity.serviceAccount)
    return;
  const claimed = `${namespace}/${serviceAccount ?? ''}`;
  throw new Refused(
    status.PERMISSION_DENIED,
    `the node says it is of \`${claimed}\` (namespace/service account), but is \`${spiffeId(identity)}\``,
  );
}

function unauthenticated(message: string): Refused {
  return new Refused(status.UNAUTHENTICATED, message);
}
