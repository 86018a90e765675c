import { renderDiagnostic } from '@mizzen/diagnostics';
import type { Diagnostic } from '@mizzen/diagnostics';

/** Tells what is wrong now that was not before, and what no longer is. */
export class Report {
  /** What was wrong when last asked, by what makes it the same: its first line. */
  #known = new Map<string, string>();
  #consequences = new Set<string>();

  /** `diagnostics` with their spans: all there are now; `consequences`: what follows from them, a line each. */
  next(
    diagnostics: readonly Diagnostic[],
    consequences: readonly string[],
    source: (file: string) => string | undefined,
  ): readonly string[] {
    const now = new Map<string, string>();
    const mistakes: string[] = [];
    for (const each of diagnostics) {
      const text = renderDiagnostic(each, { source });
      const key = identity(each, text);
      if (!this.#known.has(key) && !now.has(key)) mistakes.push(text);
      now.set(key, headline(each));
    }
    const standing = new Set(now.values());
    const gone = new Set([...this.#known.values()].filter((text) => !standing.has(text)));
    // What a new mistake leads to is said again, also when it is what an earlier one led to.
    const led = mistakes.length > 0 ? consequences : consequences.filter((text) => !this.#consequences.has(text));
    this.#known = now;
    this.#consequences = new Set(consequences);
    return [...mistakes, ...[...gone].map((text) => `no longer: ${text}`), ...led];
  }
}

/** A warning whose line moved is not a new one. Of an error it is good to know that it is somewhere else now. */
function identity(diagnostic: Diagnostic, text: string): string {
  if (diagnostic.severity === 'error') return text;
  const { ref, span } = diagnostic;
  return JSON.stringify([diagnostic.code, diagnostic.message, ref?.kind, ref?.namespace, ref?.name, span?.file]);
}

function headline({ code, severity, message }: Diagnostic): string {
  return `${severity}[${code}] ${message}`;
}
