import type { Nack } from '../types.ts';

/** One answer: resources that are new or changed, and names that are gone (or never were). */
export interface XdsUpdate {
  readonly resources: readonly XdsResource[];
  readonly removed: readonly string[];
}
export interface XdsResource {
  readonly name: string;
  /** Equal versions mean equal contents. Empty: not known. */
  readonly version: string;
  /** Envoy's JSON. */
  readonly resource: unknown;
}

/** What follows a type takes each update at once and says which of its resources it refuses; the others are in force. */
export type XdsHandler = (update: XdsUpdate) => readonly Nack[];

export interface XdsSubscription {
  /** Follow exactly these names from now on, or all there are. */
  follow(names: ReadonlySet<string> | '*'): void;
}

/**
 * Where a proxy's configuration comes from: a control plane over a local socket, over gRPC, or a bootstrap file. Nothing
 * is asked for before `follow`.
 */
export interface XdsSource {
  subscribe(typeUrl: string, handler: XdsHandler): XdsSubscription;
  close(): void;
}
