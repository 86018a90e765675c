/** What filters of HTTP have in common. */
import type { Arbitrary } from 'fast-check';
import { one } from './arbitrary.ts';

/** A filter: its name, its own configuration, and what may be said of it elsewhere. */
export interface Kind {
  readonly name: string;
  /** Its message, after `envoy.extensions.filters.http.`. */
  readonly own: string;
  readonly config: Arbitrary<object>;
  readonly perRoute?: readonly [string, Arbitrary<object>];
}

export const percent = (numerator: number): object => ({ numerator, denominator: 'HUNDRED' });
export const fraction = (numerator: number): object => ({ defaultValue: percent(numerator) });
export const onOrOff: Arbitrary<object> = one(fraction(100), fraction(0));
