import type { JsonObject, types } from '@mizzen/xds';
import type { CompileContext } from '../../program/context.ts';
import type { Path } from '../../program/path.ts';
import { httpStatus } from '../../program/http-status.ts';
import { asciiLower, wire } from '../../program/values.ts';
import { compileGrpcMethod, type GrpcMethod } from '../grpc-service.ts';
import type { AuthorizationService } from './http-service.ts';
import type { HeaderEdit, Verdict } from './verdict.ts';

const METHOD = {
  name: 'envoy.service.auth.v3.Authorization/Check',
  requestType: 'envoy.service.auth.v3.CheckRequest',
  answerType: 'envoy.service.auth.v3.CheckResponse',
};

interface HeaderOption {
  readonly header?: { readonly key?: string; readonly value?: string; readonly rawValue?: string };
  readonly append?: boolean;
  readonly appendAction?: keyof typeof ACTIONS;
}
interface Refusal {
  readonly status?: { readonly code?: string | number };
  readonly headers?: readonly HeaderOption[];
  readonly body?: string;
}
interface CheckResponse {
  readonly status?: { readonly code?: number };
  readonly deniedResponse?: Refusal;
  readonly errorResponse?: Refusal;
  readonly okResponse?: {
    readonly headers?: readonly HeaderOption[];
    readonly headersToRemove?: readonly string[];
    readonly responseHeadersToAdd?: readonly HeaderOption[];
    readonly queryParametersToSet?: readonly { readonly key?: string; readonly value?: string }[];
    readonly queryParametersToRemove?: readonly string[];
    readonly dynamicMetadata?: JsonObject;
  };
  readonly dynamicMetadata?: JsonObject;
}

const ACTIONS = {
  APPEND_IF_EXISTS_OR_ADD: 'add',
  ADD_IF_ABSENT: 'add-if-absent',
  OVERWRITE_IF_EXISTS_OR_ADD: 'set',
  OVERWRITE_IF_EXISTS: 'overwrite-if-exists',
} as const;

export function compileAuthorizationMethod(
  context: CompileContext,
  config: types.core.GrpcService,
  path: Path,
): GrpcMethod {
  return compileGrpcMethod(context, config, METHOD, 200, path);
}

/** A service that speaks `envoy.service.auth.v3.Authorization`. */
export function compileGrpcService(
  context: CompileContext,
  config: types.core.GrpcService,
  path: Path,
): AuthorizationService {
  const method = compileAuthorizationMethod(context, config, path);
  return {
    check(stream, question) {
      const call = method.call(question.request(), stream);
      return {
        answer: call.answer.then(read, (): Verdict => ({ kind: 'error' })),
        failed: call.failed === true,
        cancel: () => call.cancel(),
      };
    },
  };
}

function read(answer: JsonObject): Verdict {
  const response = answer as CheckResponse;
  const metadata = response.okResponse?.dynamicMetadata ?? response.dynamicMetadata;
  if ((response.status?.code ?? 0) === 0) {
    const { okResponse: ok = {} } = response;
    return {
      kind: 'ok',
      request: requestEdits(ok.headers),
      remove: (ok.headersToRemove ?? []).map(asciiLower),
      response: responseEdits(ok.responseHeadersToAdd),
      querySet: (ok.queryParametersToSet ?? []).map(({ key = '', value = '' }) => [key, value] as const),
      queryRemove: ok.queryParametersToRemove ?? [],
      metadata,
    };
  }
  const { deniedResponse: denied = {}, errorResponse: error } = response;
  if (error !== undefined)
    return {
      kind: 'error',
      status: givenStatus(error),
      body: wire(error.body ?? ''),
      headers: all(error.headers, () => 'add'),
      metadata,
    };
  return {
    kind: 'denied',
    status: givenStatus(denied) ?? 403,
    body: wire(denied.body ?? ''),
    headers: denialEdits(denied.headers),
    metadata,
  };
}

/** Any number goes, as long as a status line can have it. */
function givenStatus({ status }: Refusal): number | undefined {
  const code = httpStatus(status?.code);
  return code !== undefined && code >= 100 && code <= 999 ? code : undefined;
}

/** Changes of the request: `append` joins to what is there, everything else replaces, whatever `appendAction` says. */
function requestEdits(options: readonly HeaderOption[] | undefined): HeaderEdit[] {
  return inGroups(
    ['set', 'append'],
    all(options, ({ append }) => (append === true ? 'append' : 'set')),
  );
}

/** Changes of the response: here `append` is the older way to say what `appendAction` says. */
function responseEdits(options: readonly HeaderOption[] | undefined): HeaderEdit[] {
  const edits = all(options, ({ append, appendAction }) =>
    append === undefined ? ACTIONS[appendAction ?? 'APPEND_IF_EXISTS_OR_ADD'] : append ? 'add' : 'set',
  );
  return inGroups(['add', 'set', 'add-if-absent', 'overwrite-if-exists'], edits);
}

/** Fields of a denial; Envoy leaves out those that are to be appended. */
function denialEdits(options: readonly HeaderOption[] | undefined): HeaderEdit[] {
  return all(
    options?.filter(({ append }) => append !== true),
    () => 'add',
  );
}

/** Envoy does one kind of change after the other. */
function inGroups(order: readonly HeaderEdit['how'][], edits: readonly HeaderEdit[]): HeaderEdit[] {
  return order.flatMap((how) => edits.filter((edit) => edit.how === how));
}

function all(
  options: readonly HeaderOption[] | undefined,
  how: (option: HeaderOption) => HeaderEdit['how'],
): HeaderEdit[] {
  return (options ?? []).map((option) => ({
    how: how(option),
    name: asciiLower(option.header?.key ?? ''),
    value:
      option.header?.rawValue === undefined
        ? wire(option.header?.value ?? '')
        : Buffer.from(option.header.rawValue, 'base64').toString('latin1'),
  }));
}
