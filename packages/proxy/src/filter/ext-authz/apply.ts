import { addHeader, isFieldName, noteValue, setHeader } from '../../program/headers.ts';
import { REQUEST_SINGLE, RESPONSE_SINGLE } from '../../codec/single-headers.ts';
import { wire } from '../../program/values.ts';
import type { RequestHead, ResponseHead } from '../../types.ts';
import type { Headers } from '../../http/headers.ts';
import type { MutationRules } from './mutation-rules.ts';
import type { HeaderEdit, Verdict } from './verdict.ts';

type Ok = Extract<Verdict, { kind: 'ok' }>;

/** Changes a request as the service says; false when it asks for what it may not. */
export function applyToRequest(request: RequestHead, verdict: Ok, rules: MutationRules | undefined): boolean {
  for (const edit of verdict.request) {
    const may = rules?.(edit.name, false) ?? 'ok';
    if (may === 'fail') return false;
    if (may === 'ok') editRequest(request, edit);
  }
  for (const name of verdict.remove) {
    // Without them there is no request.
    if (rules === undefined && (name.startsWith(':') || name === 'host')) continue;
    const may = rules?.(name, true) ?? 'ok';
    if (may === 'fail') return false;
    if (may === 'ok') request.headers.remove(name);
  }
  if (verdict.querySet.length > 0 || verdict.queryRemove.length > 0) {
    request.path = withQuery(request.path, verdict);
    noteValue(request.headers, request.path);
  }
  return true;
}

/** False when the status is no longer one: it goes by the name that it has in HTTP/2, and what is appended to it makes a list. */
export function applyToResponse(response: ResponseHead, edits: readonly HeaderEdit[]): boolean {
  let status = String(response.status);
  for (const edit of edits) {
    const { how, name, value } = edit;
    if (!name.startsWith(':')) apply(response.headers, edit, RESPONSE_SINGLE);
    else if (name !== ':status' || how === 'add-if-absent') continue;
    else if (how === 'set' || how === 'overwrite-if-exists') status = value;
    else if (value !== '') status += `,${value}`;
  }
  if (!/^0*[1-9]\d{2,8}$/.test(status)) return false;
  response.status = Number(status);
  return true;
}

/** The fields of the request line go by the names they have in HTTP/2. */
function editRequest(request: RequestHead, edit: HeaderEdit): void {
  noteValue(request.headers, edit.value);
  const joined = (before: string): string => (edit.how === 'append' ? `${before},${edit.value}` : edit.value);
  switch (edit.name) {
    case ':path':
      request.path = joined(request.path);
      return;
    case ':method':
      request.method = joined(request.method);
      return;
    case ':scheme':
      request.scheme = joined(request.scheme);
      return;
    case ':authority':
    case 'host':
      request.authority = joined(request.authority);
      return;
    default:
      apply(request.headers, edit, REQUEST_SINGLE);
  }
}

function apply(headers: Headers, { how, name, value }: HeaderEdit, singles: ReadonlySet<string>): void {
  if (!isFieldName(name)) headers.unchecked = true;
  switch (how) {
    case 'set':
      setHeader(headers, name, value, singles);
      return;
    case 'add':
      addHeader(headers, name, value, singles);
      return;
    case 'append':
      if (headers.has(name)) headers.append(name, value);
      return;
    case 'append-or-add':
      headers.append(name, value);
      return;
    case 'add-if-absent':
      if (!headers.has(name)) headers.add(name, value);
      return;
    case 'overwrite-if-exists':
      if (headers.has(name)) setHeader(headers, name, value, singles);
  }
}

/** Parameters sorted by name, as Envoy writes them after a change. */
function withQuery(path: string, { querySet, queryRemove }: Ok): string {
  const question = path.indexOf('?');
  const parameters = new Map<string, string[]>();
  if (question >= 0) {
    const hash = path.indexOf('#', question);
    const query = path.slice(question + 1, hash < 0 ? undefined : hash);
    for (const part of query.split('&')) {
      if (part === '') continue;
      const equals = part.indexOf('=');
      const name = equals < 0 ? part : part.slice(0, equals);
      const value = equals < 0 ? '' : part.slice(equals + 1);
      parameters.set(name, [...(parameters.get(name) ?? []), value]);
    }
  }
  for (const [name, value] of querySet) parameters.set(wire(name), [wire(value)]);
  for (const name of queryRemove) parameters.delete(wire(name));
  const text = [...parameters]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .flatMap(([name, values]) => values.map((value) => `${name}=${value}`))
    .join('&');
  return (question < 0 ? path : path.slice(0, question)) + (text === '' ? '' : `?${text}`);
}
