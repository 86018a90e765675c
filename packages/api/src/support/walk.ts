import type { Path } from '@mizzen/diagnostics';
import { isRecord } from '../normalize.ts';
import { messageSchema } from '../schema.ts';
import { METADATA } from './annotations.ts';
import { KUBERNETES, MESSAGES, effective, messageBelow } from './index.ts';
import { on } from './types.ts';
import type { Engine, NoEffect, NotYet, Support } from './types.ts';

/** A field (or a value of one) that does not do what it does in a cluster. */
export interface Found {
  readonly support: NoEffect | NotYet;
  readonly path: Path;
  /** As the person wrote it. */
  readonly name: string;
  /** Set where it is the value rather than the field. */
  readonly value?: string;
}

/** A field that no version of the kind known here has. */
export interface Unknown {
  readonly path: Path;
  readonly name: string;
  readonly known: readonly string[];
}

export interface Findings {
  readonly engine: Engine;
  readonly found: Found[];
  readonly unknown: Unknown[];
}

/** Walks a message of Istio's; what its schema does not know is for validation to report. */
export function walkMessage(value: unknown, message: string, path: Path, out: Findings): void {
  if (!isRecord(value)) return;
  const table = MESSAGES[message] ?? {};
  const fields = messageSchema(message) ?? {};
  for (const [name, child] of Object.entries(value)) {
    const support = table[name];
    const field = fields[name];
    if (support === undefined || field === undefined) continue;
    const at = [...path, name];
    const below = messageBelow(message, name);
    if (!isSet(child, below !== undefined && field.k === undefined, support, out.engine)) continue;
    if (!note(support, child, at, out)) continue;
    if (below === undefined) continue;
    if (field.r && Array.isArray(child)) child.forEach((item, i) => walkMessage(item, below, [...at, i], out));
    else if (field.k && isRecord(child)) {
      for (const [key, item] of Object.entries(child)) walkMessage(item, below, [...at, key], out);
    } else walkMessage(child, below, at, out);
  }
}

/** Walks a part of a Kubernetes object. */
export function walkKubernetes(value: unknown, shape: string, path: Path, out: Findings): void {
  if (Array.isArray(value)) {
    value.forEach((item, i) => walkKubernetes(item, shape, [...path, i], out));
    return;
  }
  if (!isRecord(value)) return;
  const table = KUBERNETES[shape] ?? {};
  for (const [name, child] of Object.entries(value)) {
    const field = (Object.hasOwn(table, name) ? table[name] : undefined) ?? table['*'];
    const at = [...path, name];
    if (field === undefined) {
      const known = Object.keys(table);
      if (child !== null) out.unknown.push({ path: at, name, known });
      continue;
    }
    if (!isSet(child, true, field.support, out.engine)) continue;
    if (note(field.support, child, at, out) && field.of !== undefined) walkKubernetes(child, field.of, at, out);
  }
}

/** Labels and annotations of Istio and Mizzen. */
export function walkMetadata(value: unknown, path: Path, out: Findings): void {
  if (!isRecord(value)) return;
  for (const part of ['labels', 'annotations']) {
    const map = value[part];
    if (!isRecord(map)) continue;
    for (const [name, text] of Object.entries(map)) {
      const entry = METADATA.find(([known]) =>
        known.endsWith('*') ? name.startsWith(known.slice(0, -1)) : known === name,
      );
      if (entry !== undefined) note(entry[1], text, [...path, part, name], out);
    }
  }
}

/** True when the field itself is supported, so that what is in it counts. */
function note(support: Support, value: unknown, path: Path, out: Findings): boolean {
  const actual = effective(support, value, out.engine);
  if (actual.state === 'supported') return true;
  if (actual.state === 'not yet' && actual.unless?.(value) === true) return false;
  const name = String(path.findLast((step) => typeof step === 'string'));
  out.found.push({
    support: actual,
    path,
    name,
    ...(actual === on(support, out.engine) ? {} : { value: String(value) }),
  });
  return false;
}

/** A default that is spelled out asks for nothing, unless that very value is treated differently. */
function isSet(value: unknown, isMessage: boolean, support: Support, engine: Engine): boolean {
  if (value === undefined || value === null) return false;
  if (effective(support, value, engine) !== on(support, engine)) return true;
  if (value === false || value === 0 || value === '') return false;
  if (Array.isArray(value)) return value.length > 0;
  return isMessage || !isRecord(value) || Object.keys(value).length > 0;
}
