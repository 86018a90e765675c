import type { ResourcePlace } from '../program/types.ts';
import type { Nack } from '../types.ts';

/** One answer: resources that are new or changed, and names that are gone (or never were). */
export interface XdsUpdate {
  readonly resources: readonly XdsResource[];
  readonly removed: readonly string[];
  /** Names are said to be gone because nothing was heard of them in time. */
  readonly late?: boolean;
  /** There is more to come before anybody may count on having all there is. */
  readonly partial?: boolean;
}
export interface XdsResource {
  readonly name: string;
  /** Equal versions mean equal contents, unless there is a digest. Empty: not known. */
  readonly version: string;
  /** Where versions are not of single resources: equal digests mean equal contents. */
  readonly digest?: string;
  /** It is part of the bootstrap. */
  readonly static?: boolean;
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
  /** Says where a resource that is going to be followed is to be had. Sources with one place for all need not know. */
  locate?(place: ResourcePlace): void;
  subscribe(typeUrl: string, handler: XdsHandler): XdsSubscription;
  close(): void;
}
