/** What Mizzen does with one field. Texts are parts of sentences: lowercase, no full stop. */
export type Support = Supported | NoEffect | NotYet;

export interface Supported {
  readonly state: 'supported';
  /** What it does here. */
  readonly does: string;
  /** Where it ends up, as `Message.field` of Envoy's API. */
  readonly xds: readonly string[];
  /** Values (written as text) that are treated differently from the field itself. */
  readonly values?: Readonly<Record<string, NoEffect | NotYet>>;
  /** The same for texts of a certain form. */
  readonly texts?: readonly { readonly pattern: RegExp; readonly like: string; readonly support: NoEffect | NotYet }[];
}

/** Does something in a cluster, and has nothing to do on one machine. */
export interface NoEffect {
  readonly state: 'no effect';
  readonly reason: string;
  /** A person may well expect it to do something here, so it is worth a word. */
  readonly surprising?: boolean;
}

export interface NotYet {
  readonly state: 'not yet';
  /** `refused`: Mizzen's proxy refuses the xDS resource, whose last good version stays in force. */
  readonly outcome: 'left out' | 'refused';
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

export function except(support: Supported, values: Readonly<Record<string, NoEffect | NotYet>>): Supported {
  return { ...support, values };
}

/** `like` names the texts for a reader. */
export function exceptText(support: Supported, like: string, pattern: RegExp, other: NoEffect | NotYet): Supported {
  return { ...support, texts: [...(support.texts ?? []), { like, pattern, support: other }] };
}

export function moot(reason: string): NoEffect {
  return { state: 'no effect', reason };
}

export function surprising(reason: string): NoEffect {
  return { state: 'no effect', reason, surprising: true };
}

export function left(detail: string, help?: string): NotYet {
  return { state: 'not yet', outcome: 'left out', detail, help, xds: [] };
}

export function unless(support: NotYet, asksForNothing: (value: unknown) => boolean): NotYet {
  return { ...support, unless: asksForNothing };
}

export function refused(detail: string, help: string | undefined, ...xds: readonly string[]): NotYet {
  return { state: 'not yet', outcome: 'refused', detail, help, xds };
}

/** The fields of message `T`, every one of them. */
export function fields<T extends object>(support: { readonly [K in keyof T]-?: Support }): MessageSupport {
  return support;
}
