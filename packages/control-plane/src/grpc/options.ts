import type { SecureContextOptions } from 'node:tls';
import type { status } from '@grpc/grpc-js';
import type { Identity } from '../ca/identity.ts';
import type { Clock } from '../clock.ts';
import type { XdsServer } from '../xds/server.ts';
import type { XdsStream } from '../xds/stream.ts';
import type { ProxyNode } from './node.ts';
import type { Peer } from './peer.ts';
import type { WriteBudget } from './write-budget.ts';

/** A call is not let in, or not let go on: the status to end it with. */
export class Refused extends Error {
  readonly code: status;

  constructor(code: status, message: string) {
    super(message);
    this.code = code;
  }
}

/** A proxy with a stream. */
export interface ConnectedProxy {
  /** Under which the server has its configuration: the node's id unless `keyOf` says otherwise. */
  readonly key: string;
  readonly node: ProxyNode;
  readonly peer: Peer;
  /** Who it is, as far as that was proved. */
  readonly identity?: Identity;
  readonly protocol: 'state of the world' | 'incremental';
}

/** Where to listen: a unix socket that only this user can open, or a port of an address. */
export type Bind = { readonly path: string } | { readonly host: string; readonly port: number };

export interface GrpcXdsOptions {
  readonly bind: Bind;
  /** Certificate, key and the roots that client certificates are checked against. A client may come without one. */
  readonly tls?: SecureContextOptions;
  readonly server: XdsServer;
  readonly clock: Clock;
  /** Shared with other listeners of the process; a listener has one of its own unless given. */
  readonly budget?: WriteBudget;
  /**
   * Whether whoever opened a stream may be the node that it says it is, and who that is. Without it everybody may.
   * @throws Refused
   */
  readonly authorize?: (node: ProxyNode, peer: Peer) => Authorized | Promise<Authorized>;
  readonly keyOf?: (node: ProxyNode) => string;
  /** A proxy opened a stream. Its configuration may have been committed before, or is committed now or later. */
  readonly onNode?: (proxy: ConnectedProxy, stream: XdsStream) => void;
  readonly onGone?: (proxy: ConnectedProxy) => void;
  readonly onProblem?: (message: string) => void;
  /** Calls under way at the same time; `LIMITS.calls` unless given. */
  readonly calls?: number;
}

export interface Authorized {
  readonly identity?: Identity;
}
