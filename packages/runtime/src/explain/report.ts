import type { Path, Ref, Span } from '@mizzen/diagnostics';
import type { Explanation, Step } from '@mizzen/simulator';

/** The resource and line behind a place in a node's xDS; undefined: nobody wrote it. */
export type OriginOfStep = (
  type: NonNullable<Step['xds']>['type'],
  resource: string,
  path: Path,
  node: string,
) => { readonly ref: Ref; readonly path: Path; readonly span: Span } | undefined;

/** `mizzen explain -o json`; docs/reference/schemas/explain.schema.json. */
export interface ExplanationReport {
  readonly request: {
    readonly method: string;
    readonly authority: string;
    readonly path: string;
    readonly headers: readonly { readonly name: string; readonly value: string }[];
  };
  readonly client: string;
  /** Empty when no proxy took the request at the other end. */
  readonly server: string;
  readonly steps: readonly StepReport[];
  readonly verdict: {
    readonly reached: boolean;
    /** 0: the application's, or the connection is closed. */
    readonly status: number;
    readonly body: string;
    readonly flags: string;
    readonly details: string;
    readonly text: string;
  };
}
export interface StepReport {
  readonly side: 'client' | 'server';
  readonly proxy: string;
  readonly kind: string;
  readonly text: string;
  /** Absent where nothing was to match. */
  readonly matched?: boolean;
  readonly source?: {
    readonly kind: string;
    readonly namespace: string;
    readonly name: string;
    /** Within the resource, e.g. `spec.http.0`. */
    readonly field: string;
    readonly file: string;
    readonly line: number;
    readonly column: number;
  };
}

export function explanationReport(
  explanation: Explanation,
  originOf: OriginOfStep,
  label: (node: string) => string,
): ExplanationReport {
  const { request, client, server, steps, verdict } = explanation;
  return {
    request: {
      method: request.method,
      authority: request.authority,
      path: request.path,
      headers: request.headers.map(([name, value]) => ({ name, value })),
    },
    client: label(client),
    server: server === undefined ? '' : label(server),
    steps: steps.map((step) => stepReport(step, originOf, label)),
    verdict: { ...verdict, status: verdict.status ?? 0 },
  };
}

function stepReport(step: Step, originOf: OriginOfStep, label: (node: string) => string): StepReport {
  const { side, node, kind, text, matched, xds } = step;
  const origin = xds === undefined ? undefined : originOf(xds.type, xds.resource, xds.path, node);
  return {
    side,
    proxy: label(node),
    kind,
    text,
    ...(matched === undefined ? {} : { matched }),
    ...(origin === undefined ? {} : { source: sourceOf(origin) }),
  };
}

function sourceOf({ ref, path, span }: NonNullable<ReturnType<OriginOfStep>>): NonNullable<StepReport['source']> {
  const { kind, namespace, name } = ref;
  const { file, line, column } = span;
  return { kind, namespace, name, field: path.join('.'), file, line, column };
}
