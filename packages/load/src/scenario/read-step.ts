import { validateHeaderName } from 'node:http';
import type { Path } from '@mizzen/diagnostics';
import { jsonPath } from './json-path.ts';
import type { Reader } from './reader.ts';
import { template, written, type Template } from './template.ts';
import type { Body, Capture, Expect, Protocol, Step, Think } from './types.ts';

const HTTP = [
  'name',
  'url',
  'method',
  'headers',
  'json',
  'body',
  'form',
  'capture',
  'expect',
  'think',
  'timeout',
  'redirects',
];
const GRPC = ['name', 'call', 'message', 'metadata', 'capture', 'expect', 'think', 'timeout'];
const GRPC_METHOD = /^[\w.]+\/\w+$/;

export interface Inherited {
  readonly protocol: Protocol;
  readonly timeoutMs: number;
  readonly think: unknown;
  readonly headers: readonly (readonly [unknown, Path])[];
}

export function readStep(
  reader: Reader,
  value: unknown,
  path: Path,
  index: number,
  inherited: Inherited,
): Step | undefined {
  const grpc = inherited.protocol === 'grpc';
  const fields = reader.object(value, path, grpc ? GRPC : HTTP);
  if (fields === undefined) return undefined;
  const at = (name: string): Path => [...path, name];
  const target = grpc ? 'call' : 'url';
  const url = reader.string(fields[target], at(target));
  if (url === undefined) return reader.wrong(at(target), grpc ? 'a method is needed' : 'a URL or path is needed');
  if (grpc && !GRPC_METHOD.test(url)) reader.wrong(at('call'), 'must be package.Service/Method');
  const body = bodyOf(reader, fields, path, grpc);
  const headers = [
    ...inherited.headers,
    [fields[grpc ? 'metadata' : 'headers'], at(grpc ? 'metadata' : 'headers')] as const,
  ];
  const method = reader.string(fields['method'], at('method')) ?? (body === undefined ? 'GET' : 'POST');
  if (!/^[A-Z]+$/.test(method) || method === 'CONNECT') reader.wrong(at('method'), `\`${method}\` cannot be used here`);
  return {
    name: reader.string(fields['name'], at('name')) ?? (grpc ? url : `${index + 1} ${method} ${url}`),
    method,
    url: template(url),
    headers: headersOf(reader, headers, fields),
    body,
    capture: capturesOf(reader, fields['capture'], at('capture')),
    expect: expectOf(reader, fields['expect'], at('expect'), grpc),
    think: thinkOf(reader, fields['think'], at('think')) ?? thinkOf(reader, inherited.think, path),
    timeoutMs: reader.duration(fields['timeout'], at('timeout')) ?? inherited.timeoutMs,
    redirects: reader.number(fields['redirects'], at('redirects'), 0, true) ?? 0,
  };
}

function bodyOf(
  reader: Reader,
  fields: Readonly<Record<string, unknown>>,
  path: Path,
  grpc: boolean,
): Body | undefined {
  if (grpc) return { kind: 'json', value: fields['message'] ?? {} };
  const given = ['json', 'body', 'form'].filter((name) => fields[name] !== undefined);
  if (given.length > 1) return reader.wrong([...path, given[1]!], `there is \`${given[0]}\` already`);
  if (fields['json'] !== undefined) return { kind: 'json', value: fields['json'] };
  if (fields['form'] !== undefined) {
    const pairs = Object.entries(reader.object(fields['form'], [...path, 'form']) ?? {});
    // What is in braces is filled in later, and must not be encoded as text.
    const encode = (text: string): string => encodeURIComponent(text).replaceAll(/%24%7B([\w.-]+)%7D/g, '${$1}');
    const text = pairs.map(([name, value]) => `${encode(name)}=${encode(written(value))}`).join('&');
    return { kind: 'text', text: template(text) };
  }
  const text = reader.scalar(fields['body'] ?? '', [...path, 'body']);
  return fields['body'] === undefined || text === undefined ? undefined : { kind: 'text', text: template(text) };
}

function headersOf(
  reader: Reader,
  levels: readonly (readonly [unknown, Path])[],
  { json, form }: Readonly<Record<string, unknown>>,
): readonly (readonly [string, Template])[] {
  const headers = new Map<string, Template>();
  if (json !== undefined) headers.set('content-type', template('application/json'));
  if (form !== undefined) headers.set('content-type', template('application/x-www-form-urlencoded'));
  for (const [value, path] of levels) {
    if (value === undefined) continue;
    for (const [name, each] of Object.entries(reader.object(value, path) ?? {})) {
      try {
        validateHeaderName(name);
      } catch {
        reader.wrong([...path, name], `\`${name}\` is not the name of a header`);
        continue;
      }
      const text = reader.scalar(each, [...path, name]);
      if (text !== undefined) headers.set(name.toLowerCase(), template(text));
    }
  }
  return [...headers];
}

function capturesOf(reader: Reader, value: unknown, path: Path): readonly (readonly [string, Capture])[] {
  if (value === undefined) return [];
  return Object.entries(reader.object(value, path) ?? {}).flatMap(([name, each]) => {
    const capture = captureOf(reader, each, [...path, name]);
    return capture === undefined ? [] : [[name, capture] as const];
  });
}

/** `$.id` is short for `{ json: $.id }`. */
function captureOf(reader: Reader, value: unknown, path: Path): Capture | undefined {
  if (typeof value === 'string') return jsonCapture(reader, value, path);
  const fields = reader.object(value, path, ['json', 'header', 'regex']);
  if (fields === undefined) return undefined;
  if (Object.keys(fields).length !== 1) return reader.wrong(path, 'must have one of `json`, `header`, `regex`');
  if (fields['header'] !== undefined) {
    return { kind: 'header', name: written(fields['header']).toLowerCase() };
  }
  if (fields['regex'] !== undefined) {
    const regex = reader.regex(fields['regex'], [...path, 'regex']);
    return regex === undefined ? undefined : { kind: 'regex', regex };
  }
  return jsonCapture(reader, written(fields['json']), [...path, 'json']);
}

function jsonCapture(reader: Reader, text: string, path: Path): Capture | undefined {
  const parsed = jsonPath(text);
  return parsed === undefined
    ? reader.wrong(path, `\`${text}\` is not a JSON path`, 'such as $.items[0].id')
    : { kind: 'json', path: parsed };
}

function expectOf(reader: Reader, value: unknown, path: Path, grpc: boolean): Expect {
  const at = (...names: (string | number)[]): Path => [...path, ...names];
  const known = ['status', 'headers', 'contains', 'matches', 'json', 'latency'];
  const fields = value === undefined ? {} : (reader.object(value, path, known) ?? {});
  const status = reader.scalars(fields['status'], at('status'));
  const shape = grpc ? /^[A-Z_]+$/ : /^[1-5](\d\d|xx)$/;
  for (const each of status) {
    if (!shape.test(each))
      reader.wrong(at('status'), `\`${each}\` is not a status`, grpc ? 'such as OK' : 'such as 200 or 2xx');
  }
  const matches = reader
    .scalars(fields['matches'], at('matches'))
    .flatMap((each) => reader.regex(each, at('matches')) ?? []);
  const json = Object.entries(fields['json'] === undefined ? {} : (reader.object(fields['json'], at('json')) ?? {}));
  const headers = Object.entries(
    fields['headers'] === undefined ? {} : (reader.object(fields['headers'], at('headers')) ?? {}),
  );
  return {
    status,
    headers: headers.flatMap(([name, each]) => {
      const wanted = headerOf(reader, each, at('headers', name));
      return wanted === undefined ? [] : [{ name: name.toLowerCase(), value: wanted }];
    }),
    contains: reader.scalars(fields['contains'], at('contains')).map(template),
    matches,
    json: json.flatMap(([text, wanted]) => {
      const parsed = jsonPath(text);
      if (parsed !== undefined) return [{ path: parsed, value: wanted }];
      return reader.wrong(at('json', text), `\`${text}\` is not a JSON path`, 'such as $.items[0].id') ?? [];
    }),
    latencyMs: reader.duration(fields['latency'], at('latency')),
  };
}

function headerOf(reader: Reader, value: unknown, path: Path): Template | RegExp | undefined {
  if (typeof value === 'object' && value !== null) {
    return reader.regex(reader.object(value, path, ['matches'])?.['matches'], [...path, 'matches']);
  }
  const text = reader.scalar(value, path);
  return text === undefined ? undefined : template(text);
}

function thinkOf(reader: Reader, value: unknown, path: Path): Think | undefined {
  if (value === undefined) return undefined;
  if (typeof value === 'object' && value !== null) {
    const fields = reader.object(value, path, ['from', 'to']);
    const fromMs = reader.duration(fields?.['from'], [...path, 'from']) ?? 0;
    const toMs = reader.duration(fields?.['to'], [...path, 'to']);
    if (toMs === undefined || toMs < fromMs) return reader.wrong(path, 'must have a `to` that is not before `from`');
    return { fromMs, toMs };
  }
  const ms = reader.duration(value, path);
  return ms === undefined ? undefined : { fromMs: ms, toMs: ms };
}
