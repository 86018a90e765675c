import { messageSchema } from './schema.ts';
import { parseDuration } from './validation/duration.ts';
import { camelCase } from './yaml/locate.ts';

/**
 * A message as everything else reads it: camelCase names (a person may write a field's original name with underscores),
 * no nulls (proto3 JSON's way of saying unset), durations in decimal seconds (`1m30s` is `90s`). Returns `value` itself when there is nothing to change, which is
 * nearly always. Unknown fields stay as they are, for validation to report. Free-form values (Struct) are left alone.
 */
export function normalizeMessage(value: unknown, message: string): unknown {
  return needsWork(value) ? convert(value, message) : value;
}

/** Looks like a duration, and is not in decimal seconds. */
const OTHER_DURATION = /^[-+]?[\d.]+(?:[a-zµ]+[\d.]+)*(?:h|m|ms|us|µs|ns)$|^[-+]?[\d.]+[a-zµ]+[\d.a-zµ]*s$|^[-+.]?0$/;

function decimalSeconds(text: string): string {
  const milliseconds = parseDuration(text);
  return milliseconds === undefined ? text : `${(milliseconds / 1000).toFixed(9).replace(/\.?0+$/, '')}s`;
}

function needsWork(value: unknown): boolean {
  if (value === null) return true;
  if (typeof value === 'string') return OTHER_DURATION.test(value);
  if (typeof value !== 'object') return false;
  if (Array.isArray(value)) return value.some(needsWork);
  for (const key of Object.keys(value)) {
    if (key.includes('_') || needsWork((value as Record<string, unknown>)[key])) return true;
  }
  return false;
}

function convert(value: unknown, message: string): unknown {
  if (message === 'google.protobuf.Duration' && typeof value === 'string') return decimalSeconds(value);
  const fields = messageSchema(message);
  if (!fields || !isRecord(value)) return value;
  const out: Record<string, unknown> = {};
  for (const [key, child] of Object.entries(value)) {
    if (child === null) continue;
    const name = Object.hasOwn(fields, key) ? key : camelCase(key);
    const field = Object.hasOwn(fields, name) ? fields[name] : undefined;
    if (!field) out[key] = child;
    else if (field.r && Array.isArray(child)) out[name] = child.map((item) => convert(item, field.t));
    else if (field.k && isRecord(child)) {
      out[name] = Object.fromEntries(Object.entries(child).map(([k, v]) => [k, convert(v, field.t)]));
    } else out[name] = convert(child, field.t);
  }
  return out;
}

/** Kubernetes objects: nulls are unset fields. */
export function withoutNulls(value: unknown): unknown {
  if (!hasNull(value)) return value;
  if (Array.isArray(value)) return value.map(withoutNulls);
  if (!isRecord(value)) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, child]) => child !== null)
      .map(([key, child]) => [key, withoutNulls(child)]),
  );
}

function hasNull(value: unknown): boolean {
  if (value === null) return true;
  if (typeof value !== 'object') return false;
  return Object.values(value).some(hasNull);
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
