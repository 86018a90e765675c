import type { WorkloadStatus } from '../protocol.ts';
import { colorOf, seconds, type Style } from './style.ts';
import { workloadName } from './table.ts';
import type { Terminal, TerminalEvent } from './terminal.ts';

/** Longest prefix that others are aligned to. */
const PREFIX = 28;

/** What an event looks like, as lines. Shared by both terminals. */
export function eventLines(event: TerminalEvent, style: Style): string[] {
  if (event.kind === 'change') {
    const { added, changed, removed, rendered } = event;
    const lines = [
      ...listed(style('cyan', 'added'), added),
      ...listed(style('cyan', 'changed'), changed),
      ...listed(style('cyan', 'removed'), removed),
    ];
    lines.push(...rendered.flatMap((text) => text.trimEnd().split('\n')));
    return lines;
  }
  const subject = event.workload === undefined ? '' : `${style(colorOf(event.workload), event.workload)}: `;
  const text = `${subject}${event.text}`;
  if (event.kind === 'error') return [`${style('red', 'error')} ${text}`];
  if (event.kind === 'warning') return [`${style('yellow', 'warning')} ${text}`];
  return [text];
}

/** Nobody reads more names than this at once. */
const MOST_NAMES = 20;

function listed(word: string, names: readonly string[]): string[] {
  const shown = names.length <= MOST_NAMES ? names : names.slice(0, MOST_NAMES - 1);
  const more = names.length - shown.length;
  return [...shown.map((name) => `${word} ${name}`), ...(more === 0 ? [] : [`${word} ${more} more`])];
}

export function outputLine(pod: string, stream: 'stdout' | 'stderr', line: string, style: Style): string {
  const workload = pod.replace(/-\d+$/, '');
  const bar = stream === 'stderr' ? style('red', '|') : style('dim', '|');
  return `${style(colorOf(workload), pod.padEnd(PREFIX))} ${bar} ${line}`;
}

export interface LinesOptions {
  readonly out: NodeJS.WritableStream;
  readonly style: Style;
  readonly quiet: boolean;
}

/** What has been starting for this long is told. */
const PATIENCE_MS = 3_000;

/** For pipes and files: one line for each event, nothing redrawn. */
export class LinesTerminal implements Terminal {
  readonly #options: LinesOptions;
  /** Workload → the line last printed for it. */
  readonly #told = new Map<string, string>();
  readonly #slow = new Map<string, NodeJS.Timeout>();
  #urls: readonly string[] = [];
  readonly #toldUrls = new Set<string>();
  #urlTimer: NodeJS.Timeout | undefined;

  constructor(options: LinesOptions) {
    this.#options = options;
  }

  update(workloads: readonly WorkloadStatus[], urls: readonly string[]): void {
    this.#urls = urls;
    // Where something never becomes ready, the rest is of use all the same.
    if (urls.length > 0) this.#urlTimer ??= setTimeout(() => this.#tellUrls(), PATIENCE_MS).unref();
    const seen = new Set<string>();
    for (const workload of workloads) {
      const name = workloadName(workload);
      seen.add(name);
      clearTimeout(this.#slow.get(name));
      this.#slow.delete(name);
      const line = describe(workload);
      if (!workload.state.startsWith('starting')) this.#tell(name, line);
      else this.#slow.set(name, setTimeout(() => this.#tell(name, line), PATIENCE_MS).unref());
    }
    for (const name of this.#told.keys()) {
      if (seen.has(name)) continue;
      this.#told.delete(name);
      this.#print(`${name} gone`);
    }
  }

  ready(milliseconds: number): void {
    this.#tellUrls();
    this.#print(`ready in ${seconds(milliseconds)}`, true);
  }

  event(event: TerminalEvent): void {
    const important = event.kind === 'error' || event.kind === 'warning' || event.kind === 'change';
    for (const line of eventLines(event, this.#options.style)) this.#print(line, important);
  }

  output(pod: string, stream: 'stdout' | 'stderr', line: string): void {
    this.#print(outputLine(pod, stream, line, this.#options.style), true);
  }

  close(): void {
    for (const timer of this.#slow.values()) clearTimeout(timer);
    clearTimeout(this.#urlTimer);
  }

  #tellUrls(): void {
    for (const url of this.#urls) {
      if (!this.#toldUrls.has(url)) this.#print(url, true);
      this.#toldUrls.add(url);
    }
  }

  #tell(name: string, line: string): void {
    if (this.#told.get(name) === line) return;
    this.#told.set(name, line);
    this.#print(`${name} ${line}`);
  }

  #print(line: string, important = false): void {
    if (important || !this.#options.quiet) this.#options.out.write(`${line}\n`);
  }
}

function describe({ state, ready, replicas, standIn }: WorkloadStatus): string {
  const marked = standIn ? ' (stand-in)' : '';
  return `${state}${marked} ${ready}/${replicas}`;
}
