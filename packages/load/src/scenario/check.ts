import type { Answer } from '../client/types.ts';
import { select } from './json-path.ts';
import { fill, fillDeep } from './template.ts';
import type { Capture, Expect } from './types.ts';

type Values = ReadonlyMap<string, unknown>;

/** The body of an answer, read as JSON at most once. */
export class Content {
  readonly answer: Answer;
  #text: string | undefined;
  #json: { readonly value: unknown } | undefined;

  constructor(answer: Answer) {
    this.answer = answer;
  }

  get text(): string {
    return (this.#text ??= this.answer.body.toString('utf8'));
  }

  /** Undefined when it is not JSON. */
  get json(): unknown {
    if (this.#json === undefined) {
      try {
        this.#json = { value: JSON.parse(this.text) as unknown };
      } catch {
        this.#json = { value: undefined };
      }
    }
    return this.#json.value;
  }
}

export function needsBody(expect: Expect, captures: readonly (readonly [string, Capture])[]): boolean {
  return (
    expect.contains.length + expect.matches.length + expect.json.length > 0 ||
    captures.some(([, { kind }]) => kind !== 'header')
  );
}

/** What does not hold of an answer, in few words each: they are counted by their text. */
export function failures(expect: Expect, content: Content, latencyMs: number, values: Values): readonly string[] {
  const { answer } = content;
  const failed: string[] = [];
  if (!statusFits(expect.status, answer)) failed.push(`status ${answer.status}`);
  for (const { name, value } of expect.headers) {
    const found = answer.headers[name];
    const fits = found !== undefined && (value instanceof RegExp ? value.test(found) : found === fill(value, values));
    if (!fits) failed.push(`header ${name}`);
  }
  for (const each of expect.contains) {
    if (!content.text.includes(fill(each, values))) failed.push(`body does not contain ${shortened(each.text)}`);
  }
  for (const each of expect.matches) {
    if (!each.test(content.text)) failed.push(`body does not match ${shortened(each.source)}`);
  }
  for (const { path, value } of expect.json) {
    if (!jsonFits(select(path, content.json), fillDeep(value, values))) failed.push(`json ${written(path)}`);
  }
  if (expect.latencyMs !== undefined && latencyMs > expect.latencyMs) failed.push(`slower than ${expect.latencyMs} ms`);
  return failed;
}

/** Undefined when there is nothing to capture. */
export function captured(capture: Capture, content: Content): unknown {
  if (capture.kind === 'header') return content.answer.headers[capture.name];
  if (capture.kind === 'json') return select(capture.path, content.json)[0];
  const match = capture.regex.exec(content.text);
  return match?.[1] ?? match?.[0];
}

function statusFits(wanted: readonly string[], { status, ok }: Answer): boolean {
  if (wanted.length === 0) return ok;
  return wanted.some((each) => each === status || (each.endsWith('xx') && each[0] === status[0]));
}

/** `{ exists: true }`, `{ matches: REGEX }`, or a value that one of those found is equal to. */
function jsonFits(found: readonly unknown[], wanted: unknown): boolean {
  if (typeof wanted === 'object' && wanted !== null && Object.keys(wanted).length === 1) {
    const { exists, matches } = wanted as { readonly exists?: unknown; readonly matches?: unknown };
    if (typeof exists === 'boolean') return found.length > 0 === exists;
    if (typeof matches === 'string') return found.some((each) => new RegExp(matches, 'u').test(String(each)));
  }
  return found.some((each) => JSON.stringify(each) === JSON.stringify(wanted));
}

function written(path: readonly (string | number | symbol)[]): string {
  const step = (each: string | number | symbol): string =>
    typeof each === 'string' ? `.${each}` : typeof each === 'number' ? `[${each}]` : '[*]';
  return `$${path.map(step).join('')}`;
}

function shortened(text: string): string {
  return `\`${text.length > 40 ? `${text.slice(0, 39)}…` : text}\``;
}
