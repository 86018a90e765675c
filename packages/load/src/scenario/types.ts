import type { Template } from './template.ts';
import type { JsonPath } from './json-path.ts';

export type Protocol = 'http1' | 'http2' | 'grpc';

/** What a variable is, each time a scenario starts. */
export type Variable =
  | { readonly kind: 'constant'; readonly value: unknown }
  | { readonly kind: 'one-of'; readonly values: readonly unknown[] }
  | { readonly kind: 'range'; readonly from: number; readonly to: number }
  | { readonly kind: 'sequence'; readonly from: number }
  | { readonly kind: 'uuid' };

export type Capture =
  | { readonly kind: 'json'; readonly path: JsonPath }
  | { readonly kind: 'header'; readonly name: string }
  | { readonly kind: 'regex'; readonly regex: RegExp };

/** What must hold of an answer. */
export interface Expect {
  /** Each `200` or `2xx`, or a gRPC status such as `OK`; empty: what the protocol calls success. */
  readonly status: readonly string[];
  readonly headers: readonly { readonly name: string; readonly value: Template | RegExp }[];
  readonly contains: readonly Template[];
  readonly matches: readonly RegExp[];
  readonly json: readonly { readonly path: JsonPath; readonly value: unknown }[];
  readonly latencyMs: number | undefined;
}

export interface Think {
  readonly fromMs: number;
  readonly toMs: number;
}

export interface Step {
  readonly name: string;
  readonly method: string;
  /** Absolute, or a path below the target; for gRPC `package.Service/Method`. */
  readonly url: Template;
  readonly headers: readonly (readonly [string, Template])[];
  readonly body: Body | undefined;
  readonly capture: readonly (readonly [string, Capture])[];
  readonly expect: Expect;
  /** A pause after it. */
  readonly think: Think | undefined;
  readonly timeoutMs: number;
  readonly redirects: number;
}

export type Body =
  | { readonly kind: 'text'; readonly text: Template }
  /** Strings in it are templates; one that is a single `${name}` becomes the value as it is. */
  | { readonly kind: 'json'; readonly value: unknown };

export interface Scenario {
  readonly name: string;
  readonly weight: number;
  readonly protocol: Protocol;
  readonly target: Template | undefined;
  readonly variables: ReadonlyMap<string, Variable>;
  readonly steps: readonly Step[];
}

export interface GrpcSource {
  /** Files; empty: ask the server by reflection. */
  readonly protos: readonly string[];
  readonly include: readonly string[];
}

/** A file of scenarios. What is undefined is left to flags and defaults. */
export interface Plan {
  readonly target: string | undefined;
  readonly mode: string | undefined;
  readonly rate: number | undefined;
  readonly peak: number | undefined;
  readonly seconds: number | undefined;
  readonly arrival: 'constant' | 'poisson' | undefined;
  readonly concurrency: number | undefined;
  readonly connections: number | undefined;
  readonly thresholds: readonly string[];
  readonly grpc: GrpcSource;
  readonly scenarios: readonly Scenario[];
}
