import type { types } from '@mizzen/xds';
import type { FormatOptions } from '../operators/operator.ts';
import type { CompileContext } from '../../program/context.ts';
import type { Path } from '../../program/path.ts';
import type { LogSource } from '../../program/types.ts';
import { text } from '../access-log-text.ts';
import { utf8 } from '../grpc-log/text.ts';

type AnyValue = types.otlpCommon.AnyValue;
type KeyValue = types.otlpCommon.KeyValue;

/** Makes a value whose texts are formats. */
export function compileValue(
  context: CompileContext,
  value: AnyValue | undefined,
  path: Path,
  formatOptions: FormatOptions | undefined,
): (source: LogSource) => AnyValue {
  if (value?.stringValue !== undefined) {
    const format = text(context, value.stringValue, '-', [...path, 'stringValue'], formatOptions);
    return (source) => ({ stringValue: utf8(format(source)) });
  }
  if (value?.kvlistValue !== undefined) {
    const values = compileAttributes(context, value.kvlistValue, [...path, 'kvlistValue'], formatOptions);
    return (source) => ({ kvlistValue: { values: values(source) } });
  }
  if (value?.arrayValue !== undefined) {
    const all = (value.arrayValue.values ?? []).map((one, i) =>
      compileValue(context, one, [...path, 'arrayValue', 'values', i], formatOptions),
    );
    return (source) => ({ arrayValue: { values: all.map((make) => make(source)) } });
  }
  context.refuse(path, 'must be text, a list or a map');
  return () => ({});
}

export function compileAttributes(
  context: CompileContext,
  list: types.otlpCommon.KeyValueList | undefined,
  path: Path,
  formatOptions: FormatOptions | undefined,
): (source: LogSource) => KeyValue[] {
  const all = (list?.values ?? []).map(({ key = '', value }, i) => ({
    key,
    make: compileValue(context, value, [...path, 'values', i, 'value'], formatOptions),
  }));
  return (source) => all.map(({ key, make }) => ({ key, value: make(source) }));
}

/** Bytes of a value in protobuf. */
export function sizeOf(value: AnyValue | undefined): number {
  if (value?.stringValue !== undefined) return field(Buffer.byteLength(value.stringValue));
  if (value?.kvlistValue !== undefined) return field(sizeOfAll(value.kvlistValue.values));
  if (value?.arrayValue === undefined) return 0;
  return field((value.arrayValue.values ?? []).reduce((sum, one) => sum + field(sizeOf(one)), 0));
}

export function sizeOfAll(values: readonly KeyValue[] | undefined): number {
  let sum = 0;
  for (const { key = '', value } of values ?? []) sum += field(field(Buffer.byteLength(key)) + field(sizeOf(value)));
  return sum;
}

/** Of a field with so many bytes: tag and length before them. */
export function field(bytes: number): number {
  let head = 2;
  for (let rest = bytes >>> 7; rest > 0; rest >>>= 7) head++;
  return head + bytes;
}
