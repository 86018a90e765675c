import { isRecord } from '@mizzen/api';
import { camelCase } from '@mizzen/api/yaml/locate.ts';
import { type Path, didYouMean } from '@mizzen/diagnostics';
import { type Field, type Message, anyType, enumOf, messageOf } from './schema.ts';
import { scalar, scalarName, wrapped } from './scalars.ts';

/** What of a value does not fit its message. */
export interface Misfit {
  /** From the root of the value, as written. */
  readonly path: Path;
  /**
   * `unknown`: a field that the message does not have; it is left out. `wrong`: a value that no parser would take; the
   * whole cannot be used. `default`: a field at its default, which proto3 cannot tell from one that is not there.
   */
  readonly kind: 'unknown' | 'wrong' | 'default';
  readonly message: string;
  readonly help?: string;
}

export interface Fitted {
  /** In camelCase, as proto3 JSON prints it; undefined when some part of it is wrong. */
  readonly value: Readonly<Record<string, unknown>> | undefined;
  readonly misfits: readonly Misfit[];
}

/** Reads proto3 JSON (camelCase or snake_case) as message `type`, as protobuf's own parsers do. */
export function fit(value: unknown, type: string): Fitted {
  const reader = new Reader();
  const fitted = reader.message(value, type, []);
  const wrong = reader.misfits.some(({ kind }) => kind === 'wrong');
  return { value: wrong || !isRecord(fitted) ? undefined : fitted, misfits: reader.misfits };
}

class Reader {
  readonly misfits: Misfit[] = [];

  #wrong(path: Path, message: string, help?: string): undefined {
    this.misfits.push({ path, kind: 'wrong', message, help });
    return undefined;
  }

  /** Any type that is a message: with a JSON form of its own, or field by field. */
  message(value: unknown, type: string, path: Path): unknown {
    switch (type) {
      case 'google.protobuf.Any':
        return this.#any(value, path);
      case 'google.protobuf.Struct':
        return isRecord(value) ? value : this.#wrong(path, `${shown(value)} is no object`);
      case 'google.protobuf.Value':
        return value;
      case 'google.protobuf.ListValue':
        return Array.isArray(value) ? value : this.#wrong(path, `${shown(value)} is no list`);
      case 'google.protobuf.Empty':
        return isRecord(value) ? {} : this.#wrong(path, `${shown(value)} is no object`);
    }
    const fields = messageOf(type);
    if (fields === undefined) return this.#wrong(path, `\`${type}\` is no message of Envoy's that Mizzen knows`);
    return isRecord(value)
      ? this.#fields(value, type, fields, path)
      : this.#wrong(path, `${shown(value)} is no \`${last(type)}\``);
  }

  #any(value: unknown, path: Path): unknown {
    if (!isRecord(value)) return this.#wrong(path, `${shown(value)} is no object with an \`@type\``);
    const { '@type': url, ...rest } = value;
    if (Object.keys(value).length === 0) return {};
    if (typeof url !== 'string' || !url.includes('/')) {
      return this.#wrong(path, 'its type is not given', 'add `@type: type.googleapis.com/…`');
    }
    const type = anyType(url);
    if (hasOwnForm(type)) {
      const inner = this.#single(rest['value'], { t: type }, [...path, 'value']);
      return { '@type': url, ...(inner === undefined ? {} : { value: inner }) };
    }
    const fields = messageOf(type);
    // What extensions of other builds of Envoy read is for them to judge.
    if (fields === undefined) return value;
    return { '@type': url, ...this.#fields(rest, type, fields, path) };
  }

  #fields(value: Readonly<Record<string, unknown>>, type: string, fields: Message, path: Path): object {
    const out: Record<string, unknown> = {};
    const chosen = new Map<string, string>();
    for (const [written, child] of Object.entries(value)) {
      const name = Object.hasOwn(fields, written) ? written : camelCase(written);
      const field = Object.hasOwn(fields, name) ? fields[name] : undefined;
      const at = [...path, written];
      if (field === undefined) {
        this.#unknown(at, written, type, fields);
        continue;
      }
      if (child === null && field.t !== 'google.protobuf.Value') continue;
      if (Object.hasOwn(out, name)) this.#wrong(at, `\`${name}\` is given twice`);
      const other = field.o === undefined ? undefined : chosen.get(field.o);
      if (other !== undefined) this.#wrong(at, `only one of \`${other}\` and \`${name}\` can be set`);
      if (field.o !== undefined) chosen.set(field.o, name);
      const fitted = this.#field(child, field, at);
      if (fitted === undefined) continue;
      if (isUnset(fitted, field)) {
        const message = `\`${written}\` is at its default, which is the same as leaving it out`;
        this.misfits.push({ path: at, kind: 'default', message });
      } else out[name] = fitted;
    }
    return out;
  }

  #unknown(path: Path, name: string, type: string, fields: Message): void {
    const guess = didYouMean(camelCase(name), Object.keys(fields));
    this.misfits.push({
      path,
      kind: 'unknown',
      message: `\`${name}\` is no field of Envoy's \`${last(type)}\``,
      help: guess === undefined ? 'it is left out' : `it is left out; did you mean \`${guess}\`?`,
    });
  }

  #field(value: unknown, field: Field, path: Path): unknown {
    if (field.r) {
      if (!Array.isArray(value)) return this.#wrong(path, `${shown(value)} is no list`);
      const items = value.map((item, index) => this.#single(item, field, [...path, index]));
      return items.filter((item) => item !== undefined);
    }
    if (field.k !== undefined) {
      if (!isRecord(value)) return this.#wrong(path, `${shown(value)} is no object`);
      const entries = Object.entries(value).map(([key, item]) => [key, this.#single(item, field, [...path, key])]);
      return Object.fromEntries(entries.filter(([, item]) => item !== undefined));
    }
    return this.#single(value, field, path);
  }

  #single(value: unknown, { t: type }: Field, path: Path): unknown {
    const names = enumOf(type);
    if (names !== undefined) return this.#enumeration(value, type, names, path);
    if (type === 'google.protobuf.NullValue') return null;
    if (isScalar(type)) {
      const text = scalar(value, wrapped(type) ?? type);
      return text === undefined ? this.#wrong(path, `${shown(value)} is not ${scalarName(type)}`) : text;
    }
    return this.message(value, type, path);
  }

  #enumeration(value: unknown, type: string, names: Readonly<Record<string, number>>, path: Path): unknown {
    if (typeof value === 'string' && Object.hasOwn(names, value)) return value;
    if (typeof value === 'number' && Number.isInteger(value)) {
      return Object.keys(names).find((name) => names[name] === value) ?? value;
    }
    const guess = typeof value === 'string' ? didYouMean(value.toUpperCase(), Object.keys(names)) : undefined;
    return this.#wrong(
      path,
      `${shown(value)} is no value of \`${last(type)}\``,
      guess === undefined ? undefined : `did you mean \`${guess}\`?`,
    );
  }
}

const OWN_FORMS = new Set(
  ['Duration', 'Timestamp', 'FieldMask', 'Struct', 'Value', 'ListValue', 'Empty', 'Any'].map(
    (name) => `google.protobuf.${name}`,
  ),
);

/** Messages that stand under `value` within an Any, because their JSON is not an object of their fields. */
function hasOwnForm(type: string): boolean {
  return OWN_FORMS.has(type) || wrapped(type) !== undefined;
}

/** Scalars, and messages that JSON writes as one. */
export function isScalar(type: string): boolean {
  return (
    !type.includes('.') ||
    wrapped(type) !== undefined ||
    type === 'google.protobuf.Duration' ||
    type === 'google.protobuf.Timestamp' ||
    type === 'google.protobuf.FieldMask'
  );
}

/** True for what protobuf does not keep: empty lists and maps, and scalars at their default where nothing tells them apart. */
function isUnset(value: unknown, field: Field): boolean {
  if (field.r) return (value as readonly unknown[]).length === 0;
  if (field.k !== undefined) return Object.keys(value as object).length === 0;
  if (field.o !== undefined) return false;
  const names = enumOf(field.t);
  if (names !== undefined) return value === 0 || (typeof value === 'string' && names[value] === 0);
  return !field.t.includes('.') && isZero(value);
}

/** What a scalar is when nothing was set. */
export function isZero(value: unknown): boolean {
  return value === false || value === 0 || value === '' || value === '0';
}

function last(type: string): string {
  return type.slice(type.lastIndexOf('.') + 1);
}

function shown(value: unknown): string {
  if (Array.isArray(value)) return 'a list';
  if (isRecord(value)) return 'an object';
  return `\`${String(value)}\``;
}
