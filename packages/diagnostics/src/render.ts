import type { Diagnostic, Severity, Span } from './types.ts';

export interface RenderOptions {
  /** The text of a file as it was read; undefined when it is not at hand, which leaves the frame out. */
  readonly source?: (file: string) => string | undefined;
  /** Finds the place of a diagnostic that has only `ref` and `path`. */
  readonly locate?: (diagnostic: Diagnostic) => Span | undefined;
  /** Terminal colours. */
  readonly color?: boolean;
}

const COLORS: Record<Severity, string> = { error: '31', warning: '33', info: '36' };

/**
 * A diagnostic as a person sees it:
 *
 *     error[IST0101] reviews.yaml:14:19  subset `v3` not found for host `reviews`
 *       > 14 |           subset: v3
 *            |                   ^^
 *       help: `reviews` defines `v1` and `v2`; did you mean `v2`?
 *
 * Lines are joined by `\n`; there is none at the end.
 */
export function renderDiagnostic(diagnostic: Diagnostic, options: RenderOptions = {}): string {
  const paint = (text: string, code: string): string => (options.color ? `\u001b[${code}m${text}\u001b[0m` : text);
  const { severity, code, message, help } = diagnostic;
  const span = diagnostic.span ?? options.locate?.(diagnostic);
  const where = place(diagnostic, span);
  const lines = [
    `${paint(`${severity}[${code}]`, `1;${COLORS[severity]}`)} ${where === undefined ? '' : `${paint(where, '1')}  `}${message}`,
  ];
  const text = span && options.source?.(span.file);
  if (span && text !== undefined) lines.push(...frame(text, span, (caret) => paint(caret, COLORS[severity])));
  if (help !== undefined) lines.push(`  ${paint('help:', '1')} ${help.replaceAll('\n', '\n        ')}`);
  return lines.join('\n');
}

function place({ ref }: Diagnostic, span: Span | undefined): string | undefined {
  if (span) return `${span.file}:${span.line}:${span.column}`;
  if (!ref) return undefined;
  return `${ref.kind} ${ref.namespace === '' ? '' : `${ref.namespace}/`}${ref.name}`;
}

/** The line the span starts on, and a run of carets under the part of it that is meant. */
function frame(text: string, span: Span, paint: (carets: string) => string): string[] {
  const line = lineOf(text, span.line);
  if (line === undefined) return [];
  const number = String(span.line);
  const end = span.endLine === span.line ? span.endColumn : line.trimEnd().length + 1;
  const width = Math.max(1, Math.min(end, line.length + 1) - span.column);
  // Tabs keep their width, so that the carets stay under what they mean.
  const indent = line.slice(0, span.column - 1).replace(/[^\t]/g, ' ');
  return [
    `  > ${number} | ${line}`,
    `    ${' '.repeat(number.length)} | ${indent.padEnd(span.column - 1)}${paint('^'.repeat(width))}`,
  ];
}

function lineOf(text: string, wanted: number): string | undefined {
  let start = 0;
  for (let line = 1; line < wanted; line++) {
    const end = text.indexOf('\n', start);
    if (end < 0) return undefined;
    start = end + 1;
  }
  const end = text.indexOf('\n', start);
  return text.slice(start, end < 0 ? undefined : end).replace(/\r$/, '');
}
