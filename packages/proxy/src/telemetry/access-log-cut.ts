import type { LogSource } from '../program/types.ts';
import type { Operator, OperatorValue } from './operators/operator.ts';
import { asText } from './value-text.ts';

/** Text is cut to `length` characters, what is written as text as well; other values stay as they are. */
export function cut(operator: Operator, length: number): Operator {
  const inText = operator.inText ?? operator;
  return Object.assign((source: LogSource) => shortened(operator(source), length), {
    inText: (source: LogSource): OperatorValue => {
      const value = inText(source);
      return value === undefined || value === null ? value : shortened(asText(value, ''), length);
    },
  });
}

function shortened(value: OperatorValue, length: number): OperatorValue {
  return typeof value === 'string' && value.length > length ? value.slice(0, length) : value;
}
