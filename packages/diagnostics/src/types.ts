/** Names one resource, as `kind namespace/name`; `namespace` is empty for cluster-scoped kinds. */
export interface Ref {
  readonly apiVersion: string;
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
}

/** A place within a resource: keys and list indexes from its root, e.g. `['spec', 'http', 0, 'route', 0]`. */
export type Path = readonly (string | number)[];

/** A place in a text a person wrote. Lines and columns count from 1; `endColumn` is exclusive. */
export interface Span {
  readonly file: string;
  readonly line: number;
  readonly column: number;
  readonly endLine: number;
  readonly endColumn: number;
}

export type Severity = 'error' | 'warning' | 'info';

/**
 * One thing to tell a person about their configuration. `ref` and `path` say where it is; `span` is looked up from them
 * only when the diagnostic is printed (positions are expensive), or is set by whoever already knows it (a parse error).
 * Messages are lowercase and keep the person's own words in backticks; advice goes to `help`.
 */
export interface Diagnostic {
  readonly code: string;
  readonly severity: Severity;
  readonly message: string;
  readonly ref?: Ref;
  readonly path?: Path;
  /** `key` points at the name of the field that `path` leads to (an unknown field, say) instead of at its value. */
  readonly at?: 'key' | 'value';
  readonly span?: Span;
  readonly help?: string;
}
