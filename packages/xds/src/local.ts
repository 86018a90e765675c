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

/**
 * Most of what a proxy is sent, its neighbours are sent too: a resource goes over a connection once, and after that its
 * version stands for it. The server counts who has it and says when nobody does any more.
 */
export interface LocalXdsResponse {
  readonly node: string;
  readonly typeUrl: string;
  readonly nonce: string;
  /** A text is the version of a resource that the connection carried before. Secrets are always sent whole. */
  readonly resources: readonly (LocalXdsResource | string)[];
  readonly removed: readonly string[];
}
export interface LocalXdsResource {
  readonly name: string;
  /** A hash of the content, name included: what has the same version is the same resource for every node. */
  readonly version: string;
  readonly resource: unknown;
}

/** A line of its own: these versions will not be referred to again, unless the resources are sent again. */
export interface LocalXdsForget {
  readonly forget: readonly string[];
}

export type LocalXdsMessage = LocalXdsResponse | LocalXdsForget;

/** A response as its receiver wants it: every resource whole. */
export interface LocalXdsUpdate extends LocalXdsResponse {
  readonly resources: readonly LocalXdsResource[];
}
