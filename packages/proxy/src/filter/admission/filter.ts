import type { types } from '@mizzen/xds';
import type { CompileContext } from '../../program/context.ts';
import type { Path } from '../../program/path.ts';
import { milliseconds } from '../../program/values.ts';
import { liveFlag, liveInteger, liveNumber } from '../../runtime/live.ts';
import { isGrpc } from '../../telemetry/access-log-grpc.ts';
import { readUnsigned } from '../../http/unsigned.ts';
import type { HttpFilter, HttpStream } from '../../types.ts';
import type { FilterScope } from '../scope.ts';
import { compileCriteria } from './criteria.ts';
import { SamplingWindow } from './window.ts';

/** Chances are this fine. */
const ACCURACY = 10_000;

/** Turns requests away, the more of them the fewer have been answered well of late. */
export function admissionControlFilter(
  context: CompileContext,
  config: types.admissionControl.AdmissionControl,
  scope: FilterScope,
  path: Path,
): HttpFilter {
  const { runtime, random, clock } = context.deps;
  const { enabled, samplingWindow, aggression, srThreshold, rpsThreshold, maxRejectionProbability } = config;
  const criteria = compileCriteria(context, config.successCriteria ?? {}, [...path, 'successCriteria']);
  const least = srThreshold?.defaultValue?.value;
  if (srThreshold !== undefined && (least ?? 0) < 1)
    context.refuse([...path, 'srThreshold', 'defaultValue'], 'must be at least 1');
  const on = liveFlag(runtime, enabled?.runtimeKey, enabled?.defaultValue ?? true);
  const exponent = liveNumber(runtime, aggression?.runtimeKey, aggression?.defaultValue ?? 1);
  const threshold = liveNumber(runtime, srThreshold?.runtimeKey, least ?? 95);
  const rps = liveInteger(runtime, rpsThreshold?.runtimeKey, rpsThreshold?.defaultValue ?? 0);
  const most = liveNumber(
    runtime,
    maxRejectionProbability?.runtimeKey,
    maxRejectionProbability?.defaultValue?.value ?? (maxRejectionProbability === undefined ? 80 : 0),
  );
  const window = new SamplingWindow(Math.trunc(milliseconds(samplingWindow, 30_000) / 1000) * 1000, clock);
  const rejected = scope.counter('admission_control.rq_rejected');
  const succeeded = scope.counter('admission_control.rq_success');
  const failed = scope.counter('admission_control.rq_failure');
  /** Whose answers do not count. */
  const passedOver = new WeakSet<HttpStream>();
  /** Whose answers say how it went at their end. */
  const undecided = new WeakSet<HttpStream>();

  const turnsAway = (): boolean => {
    window.update();
    const { requests, successes } = window;
    let chance = (requests - successes / (Math.min(threshold.value, 100) / 100)) / (requests + 1);
    const aggressive = Math.max(1, exponent.value);
    // Of what is below zero there is no such power: nobody is turned away.
    if (aggressive !== 1) chance **= 1 / aggressive;
    return ACCURACY * Math.max(0, Math.min(chance, Math.min(most.value, 100) / 100)) > random.float() * ACCURACY;
  };
  const count = (success: boolean): void => {
    (success ? succeeded : failed).value++;
    window.record(success);
  };
  return {
    name: scope.name,
    onRequest(stream, trace) {
      if (!on.value || stream.info.healthCheck) {
        passedOver.add(stream);
        return undefined;
      }
      if (window.averageRps < rps.value) return undefined;
      const away = turnsAway();
      trace?.push({ kind: 'admission', text: `admission control: ${away ? 'turned away' : 'let in'}`, matched: !away });
      if (!away) return undefined;
      passedOver.add(stream);
      rejected.value++;
      stream.sendLocalReply(503, '', 'denied_by_admission_control', 0);
      return 'stop';
    },
    onResponse(stream) {
      if (passedOver.has(stream)) return undefined;
      const { status, headers } = stream.response!;
      const said = headers.get('grpc-status');
      const grpc = stream.responseEnds ? said !== undefined : status === 200 && isGrpc(headers.get('content-type'));
      if (!grpc) count(criteria.http(status));
      else if (said === undefined) undecided.add(stream);
      else count(criteria.grpc(readUnsigned(said)));
      return undefined;
    },
    onResponseTrailers(stream, trailers) {
      if (!undecided.delete(stream)) return trailers;
      const at = trailers.findIndex((name, i) => i % 2 === 0 && name === 'grpc-status');
      count(at >= 0 && criteria.grpc(readUnsigned(trailers[at + 1]!)));
      return trailers;
    },
  };
}
