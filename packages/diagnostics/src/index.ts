export type { Diagnostic, Path, Ref, Severity, Span } from './types.ts';
export { renderDiagnostic } from './render.ts';
export type { RenderOptions } from './render.ts';
export { didYouMean, editDistance } from './suggest.ts';
