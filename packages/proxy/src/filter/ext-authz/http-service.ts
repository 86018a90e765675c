import type { JsonObject, types } from '@mizzen/xds';
import { Headers } from '../../http/headers.ts';
import type { CompileContext } from '../../program/context.ts';
import { compileHeaderChange } from '../../program/headers.ts';
import { compileString } from '../../program/match/string.ts';
import type { Path } from '../../program/path.ts';
import { compileCoreRetry } from '../../program/route/retry.ts';
import type { HttpAnswer, PendingCall } from '../../program/types.ts';
import { applyChange } from '../../program/headers.ts';
import { asciiLower, milliseconds, unwire, wire } from '../../program/values.ts';
import { utf8 } from '../../telemetry/grpc-log/text.ts';
import type { HttpStream } from '../../types.ts';
import type { HeaderEdit, Verdict } from './verdict.ts';

export type NameMatch = (name: string) => boolean;

/** Asks a service of either kind. */
export interface AuthorizationService {
  /** `shown` is what the service sees of the request's headers; only the HTTP kind reads `body` itself. */
  check(stream: HttpStream, question: Question): PendingCall<Verdict>;
}
export interface Question {
  readonly shown: () => ReadonlyMap<string, string>;
  readonly body: () => Buffer;
  readonly request: () => object;
}

/** Those about the answer's own connection and body: with a request they would garble its. */
const OWN = new Set('connection content-length keep-alive proxy-connection transfer-encoding upgrade'.split(' '));
const REMOVE = 'x-envoy-auth-headers-to-remove';
const ON_DENIAL = new Set([':status', 'content-length', 'www-authenticate', 'location']);

export function compileNames(
  context: CompileContext,
  list: types.matcher.ListStringMatcher | undefined,
  path: Path,
): NameMatch | undefined {
  if (list === undefined) return undefined;
  const patterns = (list.patterns ?? []).map((pattern, i) => compileString(context, pattern, [...path, 'patterns', i]));
  return (name) => patterns.some((pattern) => pattern.matches(name));
}

const NO_NAMES: NameMatch = () => false;

/** A service that is sent the request's head (and body), and whose status is the verdict. */
export function compileHttpService(
  context: CompileContext,
  config: types.extAuthz.HttpService,
  path: Path,
): AuthorizationService {
  // Without a server every question fails.
  const { cluster = '' } = config.serverUri ?? {};
  const prefix = wire(config.pathPrefix ?? '');
  const override = wire(config.pathOverride ?? '');
  if (override !== '' && !override.startsWith('/')) context.refuse([...path, 'pathOverride'], 'must begin with `/`');
  if (override !== '' && prefix !== '') context.refuse([...path, 'pathOverride'], 'does not go with `pathPrefix`');
  if (prefix !== '' && !prefix.startsWith('/')) context.refuse([...path, 'pathPrefix'], 'must begin with `/`');
  const timeout = milliseconds(config.serverUri?.timeout, 200);
  const retry =
    config.retryPolicy === undefined
      ? undefined
      : compileCoreRetry(context, config.retryPolicy, [...path, 'retryPolicy'], config.retryPolicy.retryOn ?? '');
  const of = config.authorizationResponse ?? {};
  const at = [...path, 'authorizationResponse'];
  const names = (field: Exclude<keyof typeof of, 'allowedClientHeaders'>): NameMatch =>
    compileNames(context, of[field], [...at, field]) ?? NO_NAMES;
  const upstream = names('allowedUpstreamHeaders');
  const upstreamAppended = names('allowedUpstreamHeadersToAppend');
  const clientOnSuccess = names('allowedClientHeadersOnSuccess');
  const intoMetadata = names('dynamicMetadataFromHeaders');
  const allowedClient = compileNames(context, of.allowedClientHeaders, [...at, 'allowedClientHeaders']);
  const client: NameMatch =
    allowedClient === undefined || of.allowedClientHeaders?.patterns?.length === 0
      ? (name) => name !== ':authority'
      : (name) => ON_DENIAL.has(name) || allowedClient(name);
  const adds = (config.authorizationRequest?.headersToAdd ?? []).flatMap(
    (header, i) =>
      compileHeaderChange(context, { header, appendAction: 'OVERWRITE_IF_EXISTS_OR_ADD' }, [
        ...path,
        'authorizationRequest',
        'headersToAdd',
        i,
      ]) ?? [],
  );

  const read = ({ status, headers, body }: HttpAnswer): Verdict => {
    if (status >= 500 && status < 600) return { kind: 'error' };
    const picked = (wanted: NameMatch, how: HeaderEdit['how']): HeaderEdit[] => {
      const edits: HeaderEdit[] = [];
      for (let i = 0; i < headers.length; i += 2) {
        const name = headers[i]!;
        if (name !== REMOVE && wanted(name)) edits.push({ how, name, value: headers[i + 1]! });
      }
      return edits;
    };
    const metadata: Record<string, string> = {};
    for (const { name, value } of picked(intoMetadata, 'set')) metadata[name] = unwire(value);
    const found: JsonObject | undefined = Object.keys(metadata).length === 0 ? undefined : metadata;
    if (status !== 200)
      return { kind: 'denied', status, body: body.toString('latin1'), headers: picked(client, 'add'), metadata: found };
    return {
      kind: 'ok',
      request: [...picked(upstream, 'set'), ...picked(upstreamAppended, 'add')].filter(({ name }) => !OWN.has(name)),
      remove: namesToRemove(headers),
      response: picked(clientOnSuccess, 'add'),
      querySet: [],
      queryRemove: [],
      metadata: found,
    };
  };

  return {
    check(stream, question) {
      const headers = new Headers();
      let method = 'GET';
      let target = '/';
      let authority = '';
      for (const [name, shown] of question.shown()) {
        // Envoy reads them out of a message, where they are text.
        const value = wire(utf8(shown));
        if (name === ':method') method = value;
        else if (name === ':path') target = override === '' ? prefix + value : override;
        else if (name === ':authority') authority = value;
        else if (name !== ':scheme' && name !== 'content-length') headers.add(name, value);
      }
      for (const change of adds) applyChange(headers, change, change.value(stream), 'request');
      const call = context.deps.calls.http({
        cluster,
        method,
        path: target,
        authority,
        headers: headers.flat,
        body: question.body(),
        timeout,
        retry,
      });
      return {
        answer: call.answer.then(read, (): Verdict => ({ kind: 'error' })),
        failed: call.failed === true,
        cancel: () => call.cancel(),
      };
    },
  };
}

function namesToRemove(headers: readonly string[]): string[] {
  const names: string[] = [];
  for (let i = 0; i < headers.length; i += 2) {
    if (headers[i] !== REMOVE) continue;
    for (const part of headers[i + 1]!.split(',')) if (part.trim() !== '') names.push(asciiLower(part.trim()));
  }
  return names;
}
