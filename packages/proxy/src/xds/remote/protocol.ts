import type { types } from '@mizzen/xds';
import { milliseconds } from '../../program/values.ts';
import type { XdsUpdate } from '../source.ts';

/** What a response asks of whoever follows its type. */
export interface Received {
  readonly typeUrl: string;
  readonly update: XdsUpdate;
  /** How long resources may be used without being heard of, milliseconds; 0: for ever. Heartbeats are among them. */
  readonly lifetimes: ReadonlyMap<string, number>;
  /** What the server calls itself, where it says so. */
  readonly server: string | undefined;
}

/** A response was taken, or `error` says which of its resources were refused and why. */
export interface Outcome {
  readonly refused: ReadonlySet<string>;
  readonly error: string | undefined;
}

/**
 * One of the two forms of the xDS protocol, without a connection: it keeps what is followed and what is in force over the
 * connections that come and go, and says what to send. Requests are without the node; the connection adds it.
 */
export interface XdsProtocol {
  /** Name of the request message. */
  readonly request: string;
  /** Starts anew on another stream: the requests to begin with. */
  open(): object[];
  /** Follows exactly these names of a type from now on; the requests to send if the stream is open. */
  follow(typeUrl: string, names: ReadonlySet<string> | '*'): object[];
  /** What is followed of a type. */
  followed(typeUrl: string): ReadonlySet<string> | '*';
  /** @throws XdsCodecError; undefined for a type that nobody follows. */
  read(message: Uint8Array): Received | undefined;
  /** The time of a resource is over. */
  forget(typeUrl: string, name: string): void;
  /** The answer to the response that was read last. */
  answer(outcome: Outcome): object;
}

/** Of a resource's wrapper, milliseconds; 0: for ever. */
export function lifetime({ ttl }: types.discovery.Resource): number {
  return milliseconds(ttl, 0);
}

/** INTERNAL: what Envoy refuses with. */
export function errorDetail(error: string | undefined): object {
  return error === undefined ? {} : { errorDetail: { code: 13, message: error } };
}
