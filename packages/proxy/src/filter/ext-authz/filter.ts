import type { types } from '@mizzen/xds';
import type { CompileContext } from '../../program/context.ts';
import { httpStatus } from '../../program/http-status.ts';
import { compileMetadata } from '../../program/match/value.ts';
import type { Path } from '../../program/path.ts';
import type { Counter } from '../../program/types.ts';
import { asciiLower } from '../../program/values.ts';
import { statusNames } from '../../telemetry/response-codes.ts';
import { liveFlag, liveFraction } from '../../runtime/live.ts';
import { ResponseFlag, type CollectedBody, type HttpFilter, type HttpStream, type Trace } from '../../types.ts';
import { countUnder } from '../cluster-counter.ts';
import type { FilterScope } from '../scope.ts';
import { applyToRequest, applyToResponse } from './apply.ts';
import { checkRequest, shownHeaders, type CheckProgram } from './check.ts';
import { compileGrpcService } from './grpc-service.ts';
import { compileHttpService, compileNames, type AuthorizationService } from './http-service.ts';
import { compileMutationRules } from './mutation-rules.ts';
import { extAuthzPerRoute, type ExtAuthzPerRoute } from './per-route.ts';
import type { HeaderEdit, Verdict } from './verdict.ts';
import { onlyValid, onlyValidQuery } from './valid.ts';

/** The name under which metadata is kept, whatever the filter is called. */
const METADATA = 'envoy.filters.http.ext_authz';
const ERROR = 'ext_authz_error';
const NEVER = [
  'filter_state_name_collision',
  'omitted_response_headers',
  'request_header_limits_reached',
  'response_header_limits_reached',
];
const NO_BODY = Buffer.alloc(0);

/** Asks a service about each request. Requests wait for the answer. */
export function extAuthzFilter(
  context: CompileContext,
  config: types.extAuthz.ExtAuthz,
  scope: FilterScope,
  path: Path,
): HttpFilter {
  const { clock, random } = context.deps;
  const service = compileService(context, config, path);
  const check = compileCheck(context, config, path);
  const enabled = liveFraction(context.deps.runtime, config.filterEnabled, 1);
  const enabledMetadata =
    config.filterEnabledMetadata === undefined
      ? undefined
      : compileMetadata(context, config.filterEnabledMetadata, [...path, 'filterEnabledMetadata']);
  const denyAtDisable = liveFlag(
    context.deps.runtime,
    config.denyAtDisable?.runtimeKey,
    config.denyAtDisable?.defaultValue === true,
  );
  const statusOnError = httpStatus(config.statusOnError?.code) ?? 403;
  const rules =
    config.decoderHeaderMutationRules === undefined
      ? undefined
      : compileMutationRules(context, config.decoderHeaderMutationRules, [...path, 'decoderHeaderMutationRules']);
  const shadow = config.shadowMode === true;
  const clears = compileClearing(config);
  const validate = config.validateMutations === true;
  const takesMetadata = config.enableDynamicMetadataIngestion ?? true;
  const maxDenied = config.maxDeniedResponseBodyBytes ?? 0;
  const chargesCluster = config.chargeClusterResponseStats ?? true;
  const inPrefix = config.statPrefix === undefined || config.statPrefix === '' ? '' : `${config.statPrefix}.`;
  const counter = (name: string): Counter => scope.counter(`ext_authz.${inPrefix}${name}`);
  const stats = {
    ok: counter('ok'),
    denied: counter('denied'),
    error: counter('error'),
    disabled: counter('disabled'),
    failure_mode_allowed: counter('failure_mode_allowed'),
    invalid: counter('invalid'),
    ignored_dynamic_metadata: counter('ignored_dynamic_metadata'),
    shadow_denied: counter('shadow_denied'),
    shadow_error: counter('shadow_error'),
  };
  // What cannot happen here, and what is not counted apart.
  for (const name of NEVER) counter(name);
  /** Also under the cluster that the request was meant for when the service was asked; empty: for none. */
  const count = (cluster: string, name: keyof typeof stats): void => {
    stats[name].value++;
    countUnder(context.deps, cluster, `ext_authz.${inPrefix}${name}`);
  };
  const chargeCluster = (cluster: string, status: number): void => {
    if (!chargesCluster) return;
    for (const name of ['upstream_rq_completed', ...statusNames(status)])
      for (const kind of ['', 'internal.']) countUnder(context.deps, cluster, kind + name);
  };
  /** It is only tried. */
  const tried = (would: Counter): undefined => {
    would.value++;
    return undefined;
  };
  const cut = (body: string): string => (maxDenied > 0 ? body.slice(0, maxDenied) : body);
  /** The service may say what is answered when it cannot decide. */
  const refuse = (stream: HttpStream, { status, body = '', headers = [] }: Failure = FAILED): 'stop' => {
    const text = cut(body);
    const fields = denialFields(headers, text === '');
    stream.sendLocalReply(status ?? statusOnError, text, ERROR, ResponseFlag.UAEX, fields);
    return 'stop';
  };
  const reject = (stream: HttpStream, cluster: string): 'stop' => {
    count(cluster, 'invalid');
    stream.sendLocalReply(500, '', 'ext_authz_invalid', ResponseFlag.UAEX);
    return 'stop';
  };
  const pending = new WeakMap<HttpStream, { cancel(): void }>();
  const responseEdits = new WeakMap<HttpStream, readonly HeaderEdit[]>();

  const settle = (stream: HttpStream, cluster: string, verdict: Verdict, started: number): undefined | 'stop' => {
    pending.delete(stream);
    if (verdict.metadata !== undefined) {
      const took = verdict.kind === 'ok' ? { ext_authz_duration: Math.trunc(clock.now() - started) } : {};
      if (!takesMetadata) stats.ignored_dynamic_metadata.value++;
      else {
        const before = stream.info.dynamicMetadata?.[METADATA];
        stream.setMetadata(METADATA, { ...before, ...verdict.metadata, ...took });
      }
    }
    if (verdict.kind === 'error') {
      count(cluster, 'error');
      if (shadow) return tried(stats.shadow_error);
      if (config.failureModeAllow !== true) return refuse(stream, verdict);
      count(cluster, 'failure_mode_allowed');
      if (config.failureModeAllowHeaderAdd === true)
        stream.request.headers.add('x-envoy-auth-failure-mode-allowed', 'true');
      return undefined;
    }
    if (verdict.kind === 'denied') {
      count(cluster, 'denied');
      chargeCluster(cluster, verdict.status);
      if (shadow) return tried(stats.shadow_denied);
      if (validate && !onlyValid(verdict.headers)) return reject(stream, cluster);
      const body = cut(verdict.body);
      const fields = denialFields(verdict.headers, body === '');
      stream.sendLocalReply(verdict.status, body, 'ext_authz_denied', ResponseFlag.UAEX, fields);
      return 'stop';
    }
    if (clears?.(verdict) === true) stream.clearRoute();
    if (validate && !(onlyValid([...verdict.request, ...verdict.response]) && onlyValidQuery(verdict.querySet)))
      return reject(stream, cluster);
    if (!applyToRequest(stream.request, verdict, rules)) return reject(stream, cluster);
    if (verdict.response.length > 0) responseEdits.set(stream, verdict.response);
    count(cluster, 'ok');
    return undefined;
  };

  const ask = (
    stream: HttpStream,
    route: ExtAuthzPerRoute | undefined,
    body: CollectedBody | undefined,
    limit: number,
  ): undefined | 'stop' | Promise<undefined | 'stop'> => {
    const started = clock.now();
    const decision = stream.route();
    const cluster = decision.kind === 'cluster' ? decision.cluster : '';
    const call = (route?.service ?? service).check(stream, {
      shown: () => shownHeaders(stream.request, check.shows, body, limit),
      body: () => body?.data.subarray(0, limit) ?? NO_BODY,
      request: () => checkRequest(check, stream, route?.extensions ?? {}, body, limit, streamId(random)),
    });
    if (call.failed === true) return settle(stream, cluster, FAILED, started);
    pending.set(stream, call);
    return call.answer.then((verdict) => settle(stream, cluster, verdict, started));
  };

  return {
    name: scope.name,
    onRequest(stream, trace) {
      if (stream.route().kind === 'none') return undefined;
      const route = extAuthzPerRoute.mostSpecific(stream, scope.name);
      if (route?.disabled === true) return undefined;
      if (
        (enabled.value < 1 && random.float() >= enabled.value) ||
        enabledMetadata?.matches(stream.info.dynamicMetadata) === false
      ) {
        stats.disabled.value++;
        if (!denyAtDisable.value) return undefined;
        if (!shadow) return refuse(stream);
        stream.info.responseFlags |= ResponseFlag.UAEX;
        return tried(stats.shadow_denied);
      }
      if (trace !== undefined) return traced(trace);
      // Under a configuration of another kind all that is left is what the service is told.
      const all = route ?? extAuthzPerRoute.merged(stream, scope.name);
      const settings = route?.body ?? config.withRequestBody;
      if (settings === undefined || route?.buffersBody === false || !stream.expectsBody || stream.upgrade !== '')
        return ask(stream, all, undefined, 0);
      const limit = settings.maxRequestBytes ?? 0;
      return stream
        .collectBody(limit, settings.allowPartialMessage === true)
        .then((body) => ask(stream, all, body, limit));
    },
    onResponse(stream) {
      const edits = responseEdits.get(stream);
      const { response } = stream;
      if (edits === undefined || response === undefined) return undefined;
      if (!applyToResponse(response, edits)) {
        responseEdits.delete(stream);
        stream.sendLocalReply(502, 'missing required header: :status', NO_STATUS, 0);
        return 'stop';
      }
      stream.info.responseCode = response.status;
      return undefined;
    },
    onEnd(stream) {
      pending.get(stream)?.cancel();
    },
  };
}

function compileService(context: CompileContext, config: types.extAuthz.ExtAuthz, path: Path): AuthorizationService {
  if (config.httpService !== undefined)
    return compileHttpService(context, config.httpService, [...path, 'httpService']);
  if (config.transportApiVersion === 'V2')
    context.refuse([...path, 'transportApiVersion'], 'services of gRPC speak version 3');
  if (config.grpcService === undefined) context.refuse(path, 'must have `grpcService` or `httpService`');
  return compileGrpcService(context, config.grpcService ?? {}, [...path, 'grpcService']);
}

/** An HTTP service always sees the request line and the authorization. */
const ALWAYS = new Set([':method', ':path', ':authority', 'authorization']);

function compileCheck(context: CompileContext, config: types.extAuthz.ExtAuthz, path: Path): CheckProgram {
  const ofService = config.httpService?.authorizationRequest?.allowedHeaders;
  if (ofService !== undefined && config.allowedHeaders !== undefined)
    context.refuse([...path, 'allowedHeaders'], 'cannot be set beside `allowedHeaders` of the HTTP service');
  const allowed =
    ofService === undefined
      ? compileNames(context, config.allowedHeaders, [...path, 'allowedHeaders'])
      : compileNames(context, ofService, [...path, 'httpService', 'authorizationRequest', 'allowedHeaders']);
  const disallowed = compileNames(context, config.disallowedHeaders, [...path, 'disallowedHeaders']);
  const overHttp = config.httpService !== undefined;
  return {
    shows: (name) => {
      if (disallowed?.(name) === true) return false;
      if (overHttp) return ALWAYS.has(name) || allowed?.(name) === true;
      return allowed === undefined || allowed(name);
    },
    includePeerCertificate: config.includePeerCertificate === true,
    includeTlsSession: config.includeTlsSession === true,
    packAsBytes: config.withRequestBody?.packAsBytes === true,
    encodeRawHeaders: config.encodeRawHeaders === true,
    metadataNamespaces: config.metadataContextNamespaces ?? [],
    routeMetadataNamespaces: config.routeMetadataContextNamespaces ?? [],
  };
}

type Allowed = Extract<Verdict, { kind: 'ok' }>;
type Failure = Extract<Verdict, { kind: 'error' }>;
const FAILED: Failure = { kind: 'error' };

/** Whether a request that is allowed is routed anew; undefined: never. */
function compileClearing({
  clearRouteCache,
  clearRouteCacheHeaders = [],
}: types.extAuthz.ExtAuthz): ((verdict: Allowed) => boolean) | undefined {
  if (clearRouteCache !== true) return undefined;
  if (clearRouteCacheHeaders.length === 0) return changesRequest;
  const names = new Set(clearRouteCacheHeaders.map(asciiLower));
  return ({ request, remove, querySet, queryRemove }) =>
    querySet.length > 0 ||
    queryRemove.length > 0 ||
    request.some(({ name }) => names.has(name)) ||
    remove.some((name) => names.has(name));
}

function changesRequest(verdict: Allowed): boolean {
  return (
    verdict.request.some(({ how }) => how !== 'add') ||
    verdict.remove.length > 0 ||
    verdict.querySet.length > 0 ||
    verdict.queryRemove.length > 0
  );
}

const NO_STATUS = 'filter_removed_required_response_headers{missing_required_header:_:status}';

/** The status is the reply's own, and nothing describes a body that is not there. */
function denialFields(headers: readonly HeaderEdit[], bodyless: boolean): [string, string][] {
  return headers.flatMap(({ name, value }) =>
    name.startsWith(':') || (bodyless && (name === 'content-length' || name === 'content-type'))
      ? []
      : [[name, value] as [string, string]],
  );
}

function streamId(random: { uint32(): number }): string {
  return ((BigInt(random.uint32()) << 32n) | BigInt(random.uint32())).toString();
}

/** Offline nobody is asked: the request is taken to be allowed. */
function traced(trace: Trace): undefined {
  trace.push({ kind: 'authorization', text: 'external authorization: the service would be asked' });
  return undefined;
}
