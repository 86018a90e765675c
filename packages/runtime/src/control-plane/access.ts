import { authenticate, checkNode } from '@mizzen/control-plane/grpc/index.ts';
import type { Authorized, Peer, ProxyNode, TokenVerifier } from '@mizzen/control-plane/grpc/index.ts';
import type { Identity } from '@mizzen/control-plane';
import type { MeshModel } from '@mizzen/model';
import type { Node } from '@mizzen/translator';
import { claimOf, toNode } from './node.ts';

/**
 * Who may be which proxy. Over TLS a proxy is what its certificate or token says, and its node must agree. Whoever runs as
 * this user on this machine is believed: it can read the keys of the mesh. All others get what is no secret.
 */
export class Access {
  readonly #tokens: TokenVerifier;
  readonly #model: () => MeshModel;
  readonly #nodes = new WeakMap<ProxyNode, Node>();

  constructor(tokens: TokenVerifier, model: () => MeshModel) {
    this.#tokens = tokens;
    this.#model = model;
  }

  /** The node as translation takes it, the same object each time. */
  nodeOf(described: ProxyNode): Node {
    let node = this.#nodes.get(described);
    if (node === undefined) this.#nodes.set(described, (node = toNode(described)));
    return node;
  }

  /** @throws Refused */
  authorize(described: ProxyNode, peer: Peer): Authorized | Promise<Authorized> {
    const { namespace, serviceAccount } = claimOf(this.nodeOf(described));
    if (peer.kind === 'tls') {
      return this.authenticate(peer).then((identity) => {
        checkNode(identity, { namespace, serviceAccount });
        return { identity };
      });
    }
    if (!peer.sameUser) return {};
    const { trustDomain } = this.#model();
    return { identity: { trustDomain, namespace, serviceAccount: serviceAccount ?? 'default' } };
  }

  /** Who is at the other end of a TLS connection. Rejects with Refused. */
  authenticate(peer: Peer): Promise<Identity> {
    const trustDomains = (): readonly [string, ...string[]] => {
      const { trustDomain, trustDomainAliases } = this.#model();
      return [trustDomain, ...trustDomainAliases];
    };
    return authenticate(peer, { tokens: this.#tokens, trustDomains });
  }
}
