/** What tests of filters that ask a service have in common. */
import { describe, expect, test } from 'vitest';
import type { BesideCase, Observed } from './beside.ts';

export const get = (path: string, ...fields: string[]): string =>
  [`GET ${path} HTTP/1.1`, 'host: shop.local', ...fields, '', ''].join('\r\n');
export const post = (path: string, body: string, ...fields: string[]): string =>
  [`POST ${path} HTTP/1.1`, 'host: shop.local', `content-length: ${body.length}`, ...fields, '', body].join('\r\n');

/** What a service noted, until somebody takes it. */
export class Notes {
  #notes: string[] = [];

  add(note: string): void {
    this.#notes.push(note);
  }

  readonly take = (): readonly string[] => this.#notes.splice(0);
}

/** One test for each question, and one each for the log, which is to have more lines than `leastLog`, and the counters. */
export function describeAlike(
  what: string,
  cases: readonly BesideCase[],
  observed: () => { readonly ours: Observed; readonly theirs: Observed },
  leastLog: number,
): void {
  describe(what, () => {
    test.each(
      cases.flatMap(({ name, ask }, i) =>
        ask.map((question, j) => [`${name}: ${j} ${question.slice(0, 30)}`, i, j] as const),
      ),
    )('%s', (_name, i, j) => {
      const { ours, theirs } = observed();
      expect(ours.answers[i]![j]).toBe(theirs.answers[i]![j]);
    });
    test('log lines', () => {
      const { ours, theirs } = observed();
      expect(theirs.log.length).toBeGreaterThan(leastLog);
      expect(ours.log.toSorted()).toEqual(theirs.log.toSorted());
    });
    test('counters', () => {
      const { ours, theirs } = observed();
      expect(ours.stats).toEqual(theirs.stats);
    });
  });
}
