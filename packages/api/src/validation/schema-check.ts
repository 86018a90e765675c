import type { Path } from '@mizzen/diagnostics';
import { didYouMean } from '@mizzen/diagnostics';
import { isRecord } from '../normalize.ts';
import { enumSchema, messageSchema } from '../schema.ts';
import type { Field, MessageSchema } from '../schema.ts';
import { isDuration } from './duration.ts';
import { UNKNOWN_FIELD, WRONG_TYPE } from './report.ts';
import type { Problem } from './report.ts';

/**
 * Whether a value has the shape of a message: only fields it knows, of the right types, with values its enumerations
 * have. Durations are decimal seconds with a unit, as Kubernetes lets them be written (`1h30m`, `250ms`).
 */
export function checkMessage(value: unknown, message: string, path: Path = []): Problem[] {
  const problems: Problem[] = [];
  check(value, message, path, problems);
  return problems;
}

function check(value: unknown, message: string, path: Path, problems: Problem[]): void {
  const fields = messageSchema(message);
  if (!fields) return;
  if (!isRecord(value)) {
    problems.push(wrongType(path, 'a map', value));
    return;
  }
  for (const [name, child] of Object.entries(value)) {
    const field = Object.hasOwn(fields, name) ? fields[name] : undefined;
    if (field) checkField(child, field, [...path, name], problems);
    else problems.push(unknownField(name, path, fields));
  }
  checkOneofs(value, fields, path, problems);
}

function checkField(value: unknown, field: Field, path: Path, problems: Problem[]): void {
  if (value === null) return;
  if (field.k) {
    if (!isRecord(value)) problems.push(wrongType(path, 'a map', value));
    else for (const [key, child] of Object.entries(value)) checkValue(child, field.t, [...path, key], problems);
  } else if (field.r) {
    if (!Array.isArray(value)) problems.push(wrongType(path, 'a list', value));
    else value.forEach((child: unknown, index) => checkValue(child, field.t, [...path, index], problems));
  } else checkValue(value, field.t, path, problems);
}

function checkOneofs(value: Record<string, unknown>, fields: MessageSchema, path: Path, problems: Problem[]): void {
  const chosen = new Map<string, string>();
  for (const [name, child] of Object.entries(value)) {
    const group = Object.hasOwn(fields, name) && child !== null ? fields[name]?.o : undefined;
    if (group === undefined || group.startsWith('_')) continue;
    const other = chosen.get(group);
    if (other === undefined) chosen.set(group, name);
    else {
      problems.push({
        code: 'MZ1005',
        severity: 'error',
        message: `only one of \`${other}\` and \`${name}\` can be set`,
        path: [...path, name],
        at: 'key',
      });
    }
  }
}

const INTEGERS: Readonly<Record<string, readonly [number, number]>> = {
  int32: [-(2 ** 31), 2 ** 31 - 1],
  uint32: [0, 2 ** 32 - 1],
  int64: [-(2 ** 63), 2 ** 63],
  uint64: [0, 2 ** 64],
};
const WRAPPED: Readonly<Record<string, string>> = {
  'google.protobuf.BoolValue': 'bool',
  'google.protobuf.StringValue': 'string',
  'google.protobuf.Int32Value': 'int32',
  'google.protobuf.UInt32Value': 'uint32',
  'google.protobuf.Int64Value': 'int64',
  'google.protobuf.UInt64Value': 'uint64',
  'google.protobuf.DoubleValue': 'double',
  'google.protobuf.FloatValue': 'float',
};

function checkValue(value: unknown, written: string, path: Path, problems: Problem[]): void {
  const type = WRAPPED[written] ?? written;
  if (value === null) {
    problems.push(wrongType(path, 'a value', value));
    return;
  }
  const range = INTEGERS[type];
  if (range) {
    if (typeof value !== 'number' || !Number.isInteger(value)) problems.push(wrongType(path, 'a whole number', value));
    else if (value < range[0] || value > range[1]) {
      problems.push({ code: 'MZ1012', severity: 'error', message: `\`${value}\` is out of range`, path });
    }
    return;
  }
  switch (type) {
    case 'string':
    case 'bytes':
      if (typeof value !== 'string') problems.push(wrongType(path, 'a string', value));
      return;
    case 'bool':
      if (typeof value !== 'boolean') problems.push(wrongType(path, '`true` or `false`', value));
      return;
    case 'double':
    case 'float':
      if (typeof value !== 'number') problems.push(wrongType(path, 'a number', value));
      return;
    case 'google.protobuf.Duration':
      if (typeof value !== 'string') problems.push(wrongType(path, 'a duration such as `5s`', value));
      else if (!isDuration(value)) problems.push(notADuration(path, value));
      return;
    case 'google.protobuf.Struct':
      if (!isRecord(value)) problems.push(wrongType(path, 'a map', value));
      return;
    default:
      checkNamed(value, type, path, problems);
  }
}

function checkNamed(value: unknown, type: string, path: Path, problems: Problem[]): void {
  const values = enumSchema(type);
  if (!values) return check(value, type, path, problems);
  if (typeof value !== 'string') {
    problems.push(wrongType(path, `one of ${quoted(Object.keys(values))}`, value));
  } else if (!Object.hasOwn(values, value)) {
    const guess = didYouMean(value, Object.keys(values));
    problems.push({
      code: 'MZ1003',
      severity: 'error',
      message: `\`${value}\` is not a value of \`${lastName(path)}\``,
      path,
      help: guess ? `did you mean \`${guess}\`?` : `one of ${quoted(Object.keys(values))}`,
    });
  }
}

function unknownField(name: string, path: Path, fields: MessageSchema): Problem {
  const guess = didYouMean(name, Object.keys(fields));
  const where = path.length > 0 ? `\`${lastName(path)}\`` : 'this message';
  return {
    code: UNKNOWN_FIELD,
    severity: 'error',
    message: `${where} has no field \`${name}\``,
    path: [...path, name],
    at: 'key',
    help: guess ? `did you mean \`${guess}\`?` : undefined,
  };
}

export function wrongType(path: Path, wanted: string, value: unknown): Problem {
  const quotes = wanted === 'a string' && (typeof value === 'number' || typeof value === 'boolean');
  return {
    code: WRONG_TYPE,
    severity: 'error',
    message: `\`${lastName(path)}\` must be ${wanted}, not ${describe(value)}`,
    path,
    help: quotes ? `put it in quotes: \`"${String(value)}"\`` : undefined,
  };
}

function notADuration(path: Path, value: string): Problem {
  return {
    code: 'MZ1004',
    severity: 'error',
    message: `\`${value}\` is not a duration`,
    path,
    help: 'a number with a unit: `5s`, `250ms`, `1h30m`',
  };
}

function describe(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object') return 'a map';
  return typeof value === 'string' ? `the string \`${value}\`` : `\`${JSON.stringify(value)}\``;
}

/** The closest name on a path: `http` for `['spec', 'http', 0]`. */
export function lastName(path: Path): string {
  return String(path.findLast((segment) => typeof segment === 'string') ?? 'value');
}

function quoted(values: readonly string[]): string {
  return values.map((value) => `\`${value}\``).join(', ');
}
