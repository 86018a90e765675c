export type { Diagnostic, Path, Ref, Severity, Span } from './types.ts';
