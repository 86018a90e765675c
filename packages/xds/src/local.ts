import type { JsonObject } from './json.ts';

/**
 * xDS between the control process and the data-plane process of one machine: the incremental protocol
 * (DeltaDiscoveryRequest and DeltaDiscoveryResponse) with Envoy's JSON for resources, one JSON text a line, over a
 * stream socket that only this user can open. Many proxies share the connection; `node` tells them apart.
 */
export interface LocalXdsRequest {
  /** Envoy node id. */
  readonly node: string;
  readonly typeUrl: string;
  /** Sent with the first request of a node on a connection. */
  readonly metadata?: JsonObject;
  /** Names to follow; `*` follows all of the type. */
  readonly subscribe?: readonly string[];
  readonly unsubscribe?: readonly string[];
  /** Resources the proxy still has from an earlier connection, with their versions. */
  readonly initialResourceVersions?: Readonly<Record<string, string>>;
  /** Acknowledges a response; with `error` it refuses it. */
  readonly responseNonce?: string;
  /** Refusals, each naming its resource; the others of the response were taken. */
  readonly errors?: readonly { readonly resource: string; readonly field: string; readonly message: string }[];
  /** The node is gone: forget it. */
  readonly close?: boolean;
}

export interface LocalXdsResponse {
  readonly node: string;
  readonly typeUrl: string;
  readonly nonce: string;
  /** A version is a hash of the content: the same type, name and version are the same resource for every node. */
  readonly resources: readonly { readonly name: string; readonly version: string; readonly resource: unknown }[];
  readonly removed: readonly string[];
}
