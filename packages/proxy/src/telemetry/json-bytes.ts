/** How JSON of access logs writes bytes that are not UTF-8: as Envoy, which then escapes all of what one operator gave. */
import { isUtf8 } from 'node:buffer';
import type { JsonObject, JsonValue } from '@mizzen/xds';
import type { LogSource } from '../program/types.ts';
import { isWritten } from './double-text.ts';
import type { Operator, OperatorValue } from './operators/operator.ts';

const NOT_ASCII = /[\x80-\xff]/;
// oxlint-disable-next-line no-control-regex -- control characters are what this looks for
const ESCAPED = /[\0-\x1f"\\\x7f-\xff]/g;
/** Stands for a byte that is to be escaped until the JSON has been written. */
const MARK = 0xe000;
const MARKS = /[\ue000-\ue0ff]/g;

/** Whether there is something in a line to be looked at more closely. */
export function mayBeBroken(line: string): boolean {
  return NOT_ASCII.test(line);
}

/** The operator with the bytes marked that `withoutMarks` escapes. */
export function marking(operator: Operator): Operator {
  const { inText, inJson } = operator;
  return Object.assign((source: LogSource) => marked(operator(source)), {
    ...(inText === undefined ? {} : { inText: (source: LogSource) => marked(inText(source)) }),
    ...(inJson === undefined ? {} : { inJson: (source: LogSource) => marked(inJson(source)) }),
  });
}

export function withoutMarks(json: string): string {
  return json.replaceAll(MARKS, (mark) => `\\u00${(mark.charCodeAt(0) - MARK).toString(16).padStart(2, '0')}`);
}

function marked(value: OperatorValue): OperatorValue {
  if (typeof value === 'string') return markedText(value);
  if (typeof value !== 'object' || value === null || isWritten(value)) return value;
  if (Array.isArray(value)) return (value as readonly JsonValue[]).map((each) => marked(each) ?? null);
  const fields = Object.entries(value as JsonObject).map(([key, each]) => [markedText(key), marked(each)]);
  return Object.fromEntries(fields) as JsonObject;
}

function markedText(text: string): string {
  if (!NOT_ASCII.test(text) || isUtf8(Buffer.from(text, 'latin1'))) return text;
  return text.replaceAll(ESCAPED, (byte) => String.fromCharCode(MARK + byte.charCodeAt(0)));
}
