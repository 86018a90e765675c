import type { ConfigEditor } from '../config/editor.ts';
import type { Edit, EditedResource, Fault } from '../config/edits.ts';
import type { ErrorAnswer } from './types.ts';

interface Answer {
  readonly status: number;
  readonly body: object;
}

/** Texts of files may be long. */
export const LONGEST_TEXT = 4 * 1024 * 1024;

const STATUS: Readonly<Record<string, number>> = {
  'not-found': 404,
  stale: 409,
  'not-writable': 403,
  'has-errors': 422,
};

/** Files, and what becomes of their resources. Undefined: there is no such path. `trusted`: whoever asks knows the token. */
export function readConfig(
  editor: ConfigEditor,
  what: string | undefined,
  { searchParams }: URL,
  trusted: boolean,
): Answer | undefined {
  switch (what) {
    case 'files':
      return { status: 200, body: { files: editor.names() } };
    case 'routes':
      return { status: 200, body: editor.routes() };
    case 'file': {
      const name = searchParams.get('file') ?? '';
      const found = editor.file(name);
      if (found === undefined) return refusal(404, 'not-found', `\`${name}\` is not a file of this mesh`);
      const { secret, ...body } = found;
      if (!secret || trusted) return { status: 200, body };
      return refusal(
        401,
        'token-missing',
        `\`${name}\` holds a Secret or is not for everybody: only whoever knows the token may read it`,
      );
    }
    case 'xds': {
      const of = (name: string): string => searchParams.get(name) ?? '';
      const ref = { apiVersion: of('apiVersion'), kind: of('kind'), namespace: of('namespace'), name: of('name') };
      if (ref.kind === '' || ref.name === '') return refusal(400, 'invalid', 'give `kind`, `namespace` and `name`');
      return { status: 200, body: editor.becomes(ref) };
    }
    default:
      return undefined;
  }
}

export const CHANGES: ReadonlySet<string> = new Set(['preview', 'apply', 'edit']);

/** What wants the token. Rejects when `signal` says that nobody waits for the answer any more. */
export async function changeConfig(
  editor: ConfigEditor,
  what: string,
  body: unknown,
  signal: AbortSignal,
): Promise<Answer> {
  const { file, text, version, force } = (body ?? {}) as Readonly<Record<string, unknown>>;
  if (typeof text !== 'string') return refusal(400, 'invalid', '`text` is the whole text of the file');
  if (what === 'edit') {
    const edit = editIn(body as Readonly<Record<string, unknown>>);
    if (typeof edit === 'string') return refusal(400, 'invalid', edit);
    const edited = await editor.edit(text, edit.resource, edit.edit);
    return 'problem' in edited ? refusal(409, 'stale', edited.problem) : { status: 200, body: edited };
  }
  if (typeof file !== 'string') return refusal(400, 'invalid', '`file` is the name of a file of the mesh');
  if (what === 'preview') {
    const preview = await editor.preview(file, text, signal);
    if (preview !== undefined) return { status: 200, body: preview };
    return refusal(404, 'not-found', `\`${file}\` is not a file of this mesh`);
  }
  if (typeof version !== 'string') return refusal(400, 'invalid', '`version` is that of the text the edit began with');
  const written = editor.write(file, text, version, force === true);
  if ('code' in written) return refusal(STATUS[written.code] ?? 500, written.code, written.message);
  return { status: 200, body: written };
}

/** The edit; in words, what is wrong with it. */
function editIn(
  body: Readonly<Record<string, unknown>>,
): { readonly resource: EditedResource; readonly edit: Edit } | string {
  const { namespace, name, route, weights, fault } = body;
  if (typeof name !== 'string' || typeof namespace !== 'string')
    return '`namespace` and `name` are of a VirtualService';
  if (typeof route !== 'number' || !Number.isInteger(route) || route < 0)
    return '`route` is the number of an HTTP route';
  const resource = { kind: 'VirtualService', namespace, name };
  if (Array.isArray(weights)) {
    const all: readonly unknown[] = weights;
    if (!all.every(isWeight)) return '`weights` are whole numbers from 0 to 100';
    const { added = [] } = body;
    if (!Array.isArray(added) || !added.every(isAdded)) return '`added` are a `subset` and a `weight` each';
    return { resource, edit: { kind: 'weights', route, weights: all, added } };
  }
  if (fault === null) return { resource, edit: { kind: 'fault', route, fault } };
  if (typeof fault !== 'object') return 'give `weights` or a `fault`';
  const wrong = faultProblem(fault);
  return wrong ?? { resource, edit: { kind: 'fault', route, fault: fault as Fault } };
}

function isWeight(value: unknown): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= 100;
}

function isAdded(value: unknown): value is { readonly subset: string; readonly weight: number } {
  if (typeof value !== 'object' || value === null) return false;
  const { subset, weight } = value as Readonly<Record<string, unknown>>;
  return typeof subset === 'string' && isWeight(weight);
}

function faultProblem(fault: object): string | undefined {
  const { delay, abort } = fault as Readonly<Record<'delay' | 'abort', Readonly<Record<string, unknown>> | undefined>>;
  if (delay === undefined && abort === undefined) return 'a `fault` has a `delay`, an `abort` or both';
  for (const each of [delay, abort]) {
    const share = each?.['percentage'];
    if (each !== undefined && !(typeof share === 'number' && share >= 0 && share <= 100)) {
      return '`percentage` is a number from 0 to 100';
    }
  }
  if (delay !== undefined && typeof delay['fixedDelay'] !== 'string') return '`fixedDelay` is a duration like `2s`';
  if (abort === undefined) return undefined;
  const { httpStatus, grpcStatus } = abort;
  if (
    httpStatus !== undefined &&
    !(Number.isInteger(httpStatus) && Number(httpStatus) >= 200 && Number(httpStatus) < 600)
  ) {
    return '`httpStatus` is a status from 200 to 599';
  }
  if ((httpStatus === undefined) === (typeof grpcStatus !== 'string'))
    return 'an `abort` has an `httpStatus` or a `grpcStatus`';
  return undefined;
}

function refusal(status: number, code: string, message: string): Answer {
  return { status, body: { error: { code, message } } satisfies ErrorAnswer };
}
