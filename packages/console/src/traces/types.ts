/** What the runtime's API tells of traces (docs/reference/http-api.md), as far as it is shown here. */

export interface Traces {
  readonly traces: readonly TraceSummary[];
  readonly services: readonly string[];
  readonly kept: {
    readonly traces: number;
    readonly spans: number;
    readonly bytes: number;
    readonly bytesLimit: number;
    readonly ageLimitSeconds: number;
  };
}

export interface TraceSummary {
  readonly id: string;
  readonly requestId: string;
  readonly service: string;
  readonly name: string;
  readonly method: string;
  readonly url: string;
  readonly status: number;
  readonly start: string;
  readonly duration: number;
  readonly errors: number;
  readonly spanCount: number;
  readonly services: readonly { readonly name: string; readonly spans: number }[];
  readonly request: AskedRequest | null;
}

export interface Trace extends TraceSummary {
  readonly spans: readonly Span[];
}

export interface Span {
  readonly id: string;
  readonly parent: string;
  readonly service: string;
  readonly name: string;
  readonly kind: 'client' | 'server' | 'producer' | 'consumer' | 'internal';
  readonly depth: number;
  readonly start: number;
  readonly duration: number;
  readonly status: number;
  readonly error: boolean;
  readonly critical: readonly { readonly start: number; readonly duration: number }[];
  readonly tags: Readonly<Record<string, string>>;
  readonly events: readonly { readonly time: number; readonly name: string }[];
  readonly request: AskedRequest | null;
}

/** What a proxy was asked to send. */
export interface AskedRequest {
  readonly method: string;
  readonly url: string;
  readonly pod: string;
  readonly namespace: string;
  readonly gateway: boolean;
}

export interface Explanation {
  readonly request: {
    readonly method: string;
    readonly authority: string;
    readonly path: string;
    readonly headers: readonly { readonly name: string; readonly value: string }[];
  };
  readonly client: string;
  readonly server: string;
  readonly steps: readonly ExplainedStep[];
  readonly verdict: {
    readonly reached: boolean;
    readonly status: number;
    readonly flags: string;
    readonly details: string;
    readonly text: string;
  };
}

export interface ExplainedStep {
  readonly side: 'client' | 'server';
  readonly proxy: string;
  readonly kind: string;
  readonly text: string;
  readonly matched?: boolean;
  readonly source?: {
    readonly kind: string;
    readonly namespace: string;
    readonly name: string;
    readonly field: string;
    readonly file: string;
    readonly line: number;
  };
}
