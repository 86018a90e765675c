import { stripVTControlCharacters } from 'node:util';
import type { WorkloadStatus } from '../protocol.ts';
import { eventLines, outputLine } from './lines.ts';
import { seconds, type Style } from './style.ts';
import { fit, table } from './table.ts';
import type { Terminal, TerminalEvent } from './terminal.ts';

const REDRAW_MS = 100;

export interface LiveOptions {
  readonly out: NodeJS.WriteStream;
  readonly style: Style;
  readonly quiet: boolean;
}

/** A table that is drawn again in its place at the bottom; events scroll away above it. */
export class LiveTerminal implements Terminal {
  readonly #options: LiveOptions;
  readonly #resized = (): void => this.#redrawSoon();
  #workloads: readonly WorkloadStatus[] = [];
  #urls: readonly string[] = [];
  #footer = 'starting';
  #drawn: string[] = [];
  #above: string[] = [];
  #timer: NodeJS.Timeout | undefined;

  constructor(options: LiveOptions) {
    this.#options = options;
    options.out.on('resize', this.#resized);
  }

  update(workloads: readonly WorkloadStatus[], urls: readonly string[]): void {
    this.#workloads = workloads;
    this.#urls = urls;
    this.#redrawSoon();
  }

  ready(milliseconds: number): void {
    this.#footer = `${this.#options.style('green', `ready in ${seconds(milliseconds)}`)}, Ctrl-C stops`;
    this.#redraw();
  }

  event(event: TerminalEvent): void {
    if (this.#options.quiet && event.kind === 'info') return;
    this.#above.push(...eventLines(event, this.#options.style));
    this.#redrawSoon();
  }

  output(pod: string, stream: 'stdout' | 'stderr', line: string): void {
    this.#above.push(outputLine(pod, stream, line, this.#options.style));
    this.#redrawSoon();
  }

  close(): void {
    this.#options.out.off('resize', this.#resized);
    this.#redraw();
  }

  #redrawSoon(): void {
    this.#timer ??= setTimeout(() => this.#redraw(), REDRAW_MS);
  }

  #redraw(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const lines = this.#lines();
    const same = lines.length === this.#drawn.length && lines.every((line, i) => line === this.#drawn[i]);
    if (same && this.#above.length === 0) return;
    // Up to the first line of the table, clear to the end of the screen, then what scrolls, then the table.
    const up = this.#drawn.length > 0 ? `\u001b[${this.#drawn.length}A\r\u001b[J` : '';
    const text = [...this.#above, ...lines].map((line) => `${line}\n`).join('');
    this.#above = [];
    this.#drawn = lines;
    this.#options.out.write(`\u001b[?2026h${up}${text}\u001b[?2026l`);
  }

  #lines(): string[] {
    const { style, out } = this.#options;
    const width = out.columns || 80;
    const room = Math.max(3, (out.rows || 24) - this.#urls.length - 3);
    const hidden = this.#workloads.length + 1 - room;
    const rows = table(this.#workloads, width, style, hidden > 0);
    const shown = hidden > 0 ? [...rows.slice(0, room - 1), style('dim', `… ${hidden + 1} more`)] : rows;
    const urls = this.#urls.map((url) => style('bold', fit(url, width)));
    return ['', ...shown, ...urls, fitStyled(this.#footer, width)];
  }
}

/** The footer is short; only very narrow terminals lose its colours. */
function fitStyled(text: string, width: number): string {
  const plain = stripVTControlCharacters(text);
  return plain.length > width ? fit(plain, width) : text;
}
