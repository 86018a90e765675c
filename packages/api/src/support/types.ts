/** What carries the traffic: Mizzen's own proxy, or Envoy. */
export type Engine = 'mizzen' | 'envoy';
export const ENGINES: readonly Engine[] = ['mizzen', 'envoy'];

/** What becomes of one field: the same with both engines, or something else with each. */
export type Support = Outcome | PerEngine;

/** What becomes of one field. Texts are parts of sentences: lowercase, no full stop. */
export type Outcome = Supported | NoEffect | NotYet;

export interface PerEngine extends Readonly<Record<Engine, Outcome>> {
  readonly state: 'by engine';
}

export interface Supported {
  readonly state: 'supported';
  /** What it does here. */
  readonly does: string;
  /** Where it ends up, as `Message.field` of Envoy's API. */
  readonly xds: readonly string[];
  /** Values (written as text) that are treated differently from the field itself. */
  readonly values?: Readonly<Record<string, Exception>>;
  /** The same for texts of a certain form. */
  readonly texts?: readonly { readonly pattern: RegExp; readonly like: string; readonly support: Exception }[];
}

export type Exception = NoEffect | NotYet | PerEngine;

/** Does something in a cluster, and has nothing to do on one machine. */
export interface NoEffect {
  readonly state: 'no effect';
  readonly reason: string;
  /** What it becomes for proxies in a cluster. */
  readonly xds: readonly string[];
  /** A person may well expect it to do something here, so it is worth a word. */
  readonly surprising?: boolean;
}

export interface NotYet {
  readonly state: 'not yet';
  /** What that means. */
  readonly detail: string;
  /** What to do, or what stands in. */
  readonly help?: string;
  /** What the proxy refuses, as `Message.field` or a message. */
  readonly xds: readonly string[];
  /** Values that ask for nothing, so that nothing is missed. */
  readonly unless?: (value: unknown) => boolean;
}

/** The fields of one message. */
export type MessageSupport = Readonly<Record<string, Support>>;

/** By full message name (`istio.networking.v1alpha3.HTTPRoute`). */
export type MessageTable = Readonly<Record<string, MessageSupport>>;

export function yes(does: string, ...xds: readonly string[]): Supported {
  return { state: 'supported', does, xds };
}

export function except(support: Supported, values: Readonly<Record<string, Exception>>): Supported {
  return { ...support, values };
}

/** `like` names the texts for a reader. */
export function exceptText(support: Supported, like: string, pattern: RegExp, other: Exception): Supported {
  return { ...support, texts: [...(support.texts ?? []), { like, pattern, support: other }] };
}

export function moot(reason: string, ...xds: readonly string[]): NoEffect {
  return { state: 'no effect', reason, xds };
}

export function surprising(reason: string): NoEffect {
  return { state: 'no effect', reason, surprising: true, xds: [] };
}

export function left(detail: string, help?: string): NotYet {
  return { state: 'not yet', detail, help, xds: [] };
}

export function unless(support: NotYet, asksForNothing: (value: unknown) => boolean): NotYet {
  return { ...support, unless: asksForNothing };
}

/** `own`: what Mizzen's proxy does where Envoy does more. */
export function byEngine(own: Outcome, envoy: Outcome): PerEngine {
  return { state: 'by engine', mizzen: own, envoy };
}

export function on(support: Support, engine: Engine): Outcome {
  return support.state === 'by engine' ? support[engine] : support;
}

export function supportedBySome(support: Support): boolean {
  return ENGINES.some((engine) => on(support, engine).state === 'supported');
}

/** The fields of message `T`, every one of them. */
export function fields<T extends object>(support: { readonly [K in keyof T]-?: Support }): MessageSupport {
  return support;
}

/** The same for a message of which Mizzen's proxy does nothing (`own` says why) and Envoy does what `envoy` says. */
export function envoyFields<T extends object>(
  own: NoEffect | NotYet,
  envoy: { readonly [K in keyof T]-?: Outcome },
): MessageSupport {
  return Object.fromEntries(Object.entries<Outcome>(envoy).map(([field, outcome]) => [field, byEngine(own, outcome)]));
}
