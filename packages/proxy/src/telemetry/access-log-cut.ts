import type { LogSource } from '../program/types.ts';
import type { Operator, OperatorValue } from './operators/operator.ts';

/** Text is cut to `length` characters; other values stay as they are. */
export function cut(operator: Operator, length: number): Operator {
  const shorten =
    (get: (source: LogSource) => OperatorValue): Operator =>
    (source) => {
      const value = get(source);
      return typeof value === 'string' && value.length > length ? value.slice(0, length) : value;
    };
  return operator.inText === undefined
    ? shorten(operator)
    : Object.assign(shorten(operator), { inText: shorten(operator.inText) });
}
