import { newStreamInfo } from '../../program/offline-stream.ts';
import type { JsonObject, types } from '@mizzen/xds';
import type { CompileContext } from '../../program/context.ts';
import { compileMetadata } from '../../program/match/value.ts';
import type { Path } from '../../program/path.ts';
import type { Counter, GateDecision, NetworkGate } from '../../program/types.ts';
import { ResponseFlag } from '../../types.ts';
import { checkConnection, pick } from './check.ts';
import { compileAuthorizationMethod } from './grpc-service.ts';

const METADATA = 'envoy.filters.network.ext_authz';
const ALLOWED: GateDecision = { allowed: true, details: '', flags: 0, metadata: undefined };

/**
 * Asks a service about each connection. Unlike Envoy, which asks when the client's first bytes come, this asks at once:
 * a server that speaks first is not heard before the verdict.
 */
export function compileNetworkExtAuthz(
  context: CompileContext,
  config: types.networkExtAuthz.ExtAuthz,
  path: Path,
): NetworkGate {
  const { clock } = context.deps;
  const prefix = config.statPrefix ?? '';
  if (prefix === '') context.refuse([...path, 'statPrefix'], 'must not be empty');
  const method = compileAuthorizationMethod(context, config.grpcService ?? {}, [...path, 'grpcService']);
  const enabled =
    config.filterEnabledMetadata === undefined
      ? undefined
      : compileMetadata(context, config.filterEnabledMetadata, [...path, 'filterEnabledMetadata']);
  const namespaces = config.metadataContextNamespaces ?? [];
  const shown = {
    includePeerCertificate: config.includePeerCertificate === true,
    includeTlsSession: config.includeTlsSession === true,
  };
  const counter = (name: string): Counter => context.deps.counter(`ext_authz.${prefix}.${name}`);
  const stats = {
    total: counter('total'),
    ok: counter('ok'),
    denied: counter('denied'),
    error: counter('error'),
    disabled: counter('disabled'),
    closed: counter('cx_closed'),
    failedOpen: counter('failure_mode_allowed'),
  };
  const refuse = (responseDetails: string, metadata: GateDecision['metadata']): GateDecision => {
    stats.closed.value++;
    return {
      allowed: false,
      details: '',
      responseDetails,
      closeReason: 'ext_authz_close',
      closesUpstream: true,
      flags: ResponseFlag.UAEX,
      metadata,
    };
  };

  return {
    text: 'external authorization',
    check(connection, metadata) {
      if (enabled?.matches(metadata) === false) {
        stats.disabled.value++;
        return ALLOWED;
      }
      stats.total.value++;
      const started = clock.now();
      const call = method.call(checkConnection(connection, shown, pick(metadata, namespaces)), {
        info: newStreamInfo(connection),
      });
      const settle = (answer: JsonObject): GateDecision => {
        const status = (answer['status'] as { readonly code?: number } | undefined)?.code ?? 0;
        const allowed = status === 0;
        const given = answer['dynamicMetadata'] as JsonObject | undefined;
        const took = allowed ? { ext_authz_duration: Math.trunc(clock.now() - started) } : {};
        const found = given === undefined ? undefined : { [METADATA]: { ...given, ...took } };
        (allowed ? stats.ok : stats.denied).value++;
        return allowed ? { ...ALLOWED, metadata: found } : refuse('ext_authz_denied', found);
      };
      const fail = (): GateDecision => {
        stats.error.value++;
        if (config.failureModeAllow !== true) return refuse('ext_authz_error', undefined);
        stats.failedOpen.value++;
        return ALLOWED;
      };
      return { decision: call.answer.then(settle, fail), cancel: () => call.cancel() };
    },
  };
}
