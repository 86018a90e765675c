import { duration } from '../duration.ts';
import { parseDuration } from '@mizzen/api';

const WRAPPED: Readonly<Record<string, string>> = {
  'google.protobuf.BoolValue': 'bool',
  'google.protobuf.StringValue': 'string',
  'google.protobuf.BytesValue': 'bytes',
  'google.protobuf.Int32Value': 'int32',
  'google.protobuf.UInt32Value': 'uint32',
  'google.protobuf.Int64Value': 'int64',
  'google.protobuf.UInt64Value': 'uint64',
  'google.protobuf.FloatValue': 'float',
  'google.protobuf.DoubleValue': 'double',
};

/** The scalar that a wrapper message holds; proto3 JSON writes both alike. */
export function wrapped(type: string): string | undefined {
  return WRAPPED[type];
}

/** The least and the greatest whole number of a kind. */
const RANGES: Readonly<Record<string, readonly [bigint, bigint]>> = {
  int32: [-(2n ** 31n), 2n ** 31n - 1n],
  uint32: [0n, 2n ** 32n - 1n],
  int64: [-(2n ** 63n), 2n ** 63n - 1n],
  uint64: [0n, 2n ** 64n - 1n],
};

const SAME_AS: Readonly<Record<string, string>> = {
  sint32: 'int32',
  sfixed32: 'int32',
  fixed32: 'uint32',
  sint64: 'int64',
  sfixed64: 'int64',
  fixed64: 'uint64',
};

/** A value of a scalar kind as proto3 JSON prints it; undefined when it is none. */
export function scalar(value: unknown, kind: string): boolean | number | string | undefined {
  switch (kind) {
    case 'bool':
      return typeof value === 'boolean' ? value : undefined;
    case 'string':
      return typeof value === 'string' ? value : undefined;
    case 'bytes':
      return typeof value === 'string' && /^[\w+/-]*={0,2}$/.test(value) ? value : undefined;
    case 'double':
    case 'float':
      return floating(value);
    case 'google.protobuf.Duration':
      return typeof value === 'string' && /^-?\d+(\.\d{1,9})?s$/.test(value) && parseDuration(value) !== undefined
        ? duration(value)
        : undefined;
    case 'google.protobuf.Timestamp':
      return typeof value === 'string' && !Number.isNaN(Date.parse(value)) ? value : undefined;
    case 'google.protobuf.FieldMask':
      return typeof value === 'string' ? value : undefined;
    default:
      return whole(value, SAME_AS[kind] ?? kind);
  }
}

function floating(value: unknown): number | string | undefined {
  if (typeof value === 'number') return value;
  if (value === 'NaN' || value === 'Infinity' || value === '-Infinity') return value;
  return typeof value === 'string' && value.trim() === value && value !== '' && Number.isFinite(Number(value))
    ? Number(value)
    : undefined;
}

/** 64 bits are written as text, because JSON's readers would round them. */
function whole(value: unknown, kind: string): number | string | undefined {
  const range = RANGES[kind];
  if (range === undefined) return undefined;
  let number: bigint;
  if (typeof value === 'number' && Number.isSafeInteger(value)) number = BigInt(value);
  else if (typeof value === 'string' && /^-?\d{1,20}$/.test(value)) number = BigInt(value);
  else return undefined;
  if (number < range[0] || number > range[1]) return undefined;
  return kind.endsWith('64') ? String(number) : Number(number);
}

/** A kind in words, for a person. */
export function scalarName(type: string): string {
  const kind = wrapped(type) ?? type;
  switch (kind) {
    case 'bool':
      return '`true` or `false`';
    case 'string':
      return 'a text';
    case 'bytes':
      return 'bytes in base64';
    case 'double':
    case 'float':
      return 'a number';
    case 'google.protobuf.Duration':
      return 'a duration in seconds, as `1.5s`';
    case 'google.protobuf.Timestamp':
      return 'a point in time, as `2026-01-31T12:00:00Z`';
    case 'google.protobuf.FieldMask':
      return 'names of fields in one text';
    default: {
      const [least, greatest] = RANGES[SAME_AS[kind] ?? kind] ?? [0n, 0n];
      return `a whole number from ${least} to ${greatest}`;
    }
  }
}
