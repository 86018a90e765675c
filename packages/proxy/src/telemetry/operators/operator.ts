import type { JsonValue } from '@mizzen/xds';
import type { ExpressionOptions } from '../../cel/compile.ts';
import type { Deps } from '../../deps.ts';
import type { LogSource } from '../../program/types.ts';
import type { StreamInfo } from '../../types.ts';

/** Undefined: there is none (`-` in text, null in JSON). */
export type OperatorValue = JsonValue | undefined;
export interface Operator {
  (source: LogSource): OperatorValue;
  /** The same within text, where that is not just the value written down. */
  readonly inText?: (source: LogSource) => OperatorValue;
  /** The same within JSON, where its numbers are not just written down. */
  readonly inJson?: (source: LogSource) => OperatorValue;
}

/** What a format has besides the operators that are always there. */
export interface FormatOptions {
  /** What expressions may do; undefined: what they always may. */
  readonly expressions?: ExpressionOptions | undefined;
  readonly withoutQuery?: boolean;
}

/** What operators may ask for beyond the request. */
export interface OperatorDeps extends FormatOptions {
  readonly env: (name: string) => string | undefined;
  readonly wall: () => number;
  readonly uuid: () => string;
  readonly routeTimes?: Deps['routeTimes'];
}

/** Makes the operator, or says what is wrong with its argument. */
export type OperatorFactory = (
  argument: string | undefined,
  deps: OperatorDeps,
) => Operator | { readonly problem: string };

/** What is known of the stream. */
export const info =
  (value: (info: StreamInfo) => OperatorValue): OperatorFactory =>
  (argument) =>
    argument === undefined ? (source) => value(source.info) : { problem: 'takes no argument' };
/** What is known of the stream and its heads. */
export const ofSource =
  (value: (source: LogSource) => OperatorValue): OperatorFactory =>
  (argument) =>
    argument === undefined ? value : { problem: 'takes no argument' };
/** The same as `info`, absent where it is empty. */
export const text =
  (value: (info: StreamInfo) => string | undefined): OperatorFactory =>
  (argument) =>
    argument === undefined ? (source) => unlessEmpty(value(source.info)) : { problem: 'takes no argument' };
/** What is empty is absent. */
export function unlessEmpty(given: string | undefined): string | undefined {
  return given === '' ? undefined : given;
}
