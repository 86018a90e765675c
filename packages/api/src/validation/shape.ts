import type { Path } from '@mizzen/diagnostics';
import { isRecord } from '../normalize.ts';
import type { Report } from './report.ts';
import { BAD_VALUE } from './report.ts';
import { wrongType } from './schema-check.ts';

/**
 * The shape of the parts of a Kubernetes object that Mizzen reads. Fields not named here are not looked at: Kubernetes
 * has many more.
 */
export type Shape =
  | 'string'
  | 'integer'
  | 'boolean'
  | 'port' // a number, or the name of a port
  | readonly string[] // one of these
  | { readonly list: Shape }
  | { readonly map: Shape }
  | { readonly fields: Readonly<Record<string, Shape>> };

export const list = (shape: Shape): Shape => ({ list: shape });
export const map = (shape: Shape): Shape => ({ map: shape });
export const fields = (shapes: Readonly<Record<string, Shape>>): Shape => ({ fields: shapes });

/** Whether `value` has the shape; says where it does not. Absent is fine. */
export function checkShape(report: Report, path: Path, value: unknown, shape: Shape): void {
  if (value === undefined || value === null) return;
  if (typeof shape === 'string') checkScalar(report, path, value, shape);
  else if (isOptions(shape)) {
    if (typeof value === 'string' && shape.includes(value)) return;
    const help = `one of ${shape.map((option) => `\`${option}\``).join(', ')}`;
    report.error(BAD_VALUE, path, `${JSON.stringify(value)} is not a value of \`${String(path.at(-1))}\``, help);
  } else if ('list' in shape) {
    if (!Array.isArray(value)) report.problems.push(wrongType(path, 'a list', value));
    else value.forEach((item: unknown, i) => checkItem(report, [...path, i], item, shape.list));
  } else if (!isRecord(value)) report.problems.push(wrongType(path, 'a map', value));
  else if ('map' in shape) {
    for (const [key, child] of Object.entries(value)) checkItem(report, [...path, key], child, shape.map);
  } else {
    for (const [key, child] of Object.entries(shape.fields)) checkShape(report, [...path, key], value[key], child);
  }
}

function isOptions(shape: Shape): shape is readonly string[] {
  return Array.isArray(shape);
}

function checkItem(report: Report, path: Path, value: unknown, shape: Shape): void {
  if (value === null) report.problems.push(wrongType(path, 'a value', value));
  else checkShape(report, path, value, shape);
}

function checkScalar(
  report: Report,
  path: Path,
  value: unknown,
  shape: 'string' | 'integer' | 'boolean' | 'port',
): void {
  if (shape === 'string') {
    if (typeof value !== 'string') report.problems.push(wrongType(path, 'a string', value));
  } else if (shape === 'boolean') {
    if (typeof value !== 'boolean') report.problems.push(wrongType(path, '`true` or `false`', value));
  } else if (!Number.isInteger(value) && !(shape === 'port' && typeof value === 'string')) {
    report.problems.push(wrongType(path, shape === 'port' ? 'a port number or name' : 'a whole number', value));
  }
}
