import type { ResourcePlace } from '../program/types.ts';
import type { Nack } from '../types.ts';

/** One answer: resources that are new or changed, and names that are gone (or never were). */
export interface XdsUpdate {
  readonly resources: readonly XdsResource[];
  readonly removed: readonly string[];
  /** Of the whole answer, where it has one. */
  readonly version?: string;
  /** Read from text, where what is no JSON of its message cannot even be read. */
  readonly fromText?: boolean;
  /** Names are said to be gone, or nothing is said, because nothing was heard in time. */
  readonly late?: boolean;
  /** What an answer had nothing for, by name (`*`: all there are), and why; what is in force stays. */
  readonly without?: ReadonlyMap<string, 'empty' | 'failed' | 'refused'>;
  /** It is the bootstrap's own, so nobody was asked. */
  readonly own?: boolean;
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

/** Hears what becomes of a subscription besides its updates: by name, or `*` for all there are. */
export interface XdsObserver {
  /** A server is asked. */
  asked(names: Iterable<string>): void;
  /** The server went away, or cannot be reached. */
  failed(names: Iterable<string>): void;
  /** Others of the same answer were refused. */
  refused(names: Iterable<string>): void;
  /** It is about to be had over a stream that is not that of all resources. */
  served(names: Iterable<string>, by: ControlPlaneStats): void;
}

/** What is followed, as observers call it. */
export function namesOf(names: ReadonlySet<string> | '*'): readonly string[] {
  return names === '*' ? ['*'] : [...names];
}

/** Of a stream to a management server, under Envoy's names. */
export interface ControlPlaneStats {
  connected_state: number;
  pending_requests: number;
  /** What the server last called itself. */
  identifier: string;
}

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
  subscribe(typeUrl: string, handler: XdsHandler, observer?: XdsObserver): XdsSubscription;
  /** Of a stream that is not that of all resources (ADS). */
  readonly controlPlane?: ControlPlaneStats | undefined;
  close(): void;
}
