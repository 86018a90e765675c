import type { Path } from '@mizzen/diagnostics';
import { didYouMean } from '@mizzen/diagnostics';
import type { HTTPFaultInjection } from '../gen/istio.networking.v1alpha3.ts';
import { checkDuration, checkFraction } from './checks/numbers.ts';
import { BAD_VALUE, NOT_ALLOWED, NO_EFFECT, OUT_OF_RANGE, REQUIRED } from './report.ts';
import type { Report } from './report.ts';

const GRPC_STATUS = new Set(
  (
    'OK CANCELLED UNKNOWN INVALID_ARGUMENT DEADLINE_EXCEEDED NOT_FOUND ALREADY_EXISTS PERMISSION_DENIED ' +
    'UNAUTHENTICATED RESOURCE_EXHAUSTED FAILED_PRECONDITION ABORTED OUT_OF_RANGE UNIMPLEMENTED INTERNAL UNAVAILABLE ' +
    'DATA_LOSS'
  ).split(' '),
);

export function checkFault(report: Report, path: Path, fault: HTTPFaultInjection | undefined): void {
  if (!fault) return;
  const { abort, delay } = fault;
  if (!abort && !delay) report.error(REQUIRED, path, 'a fault needs an `abort`, a `delay` or both');
  if (abort) checkAbort(report, [...path, 'abort'], abort);
  if (delay) {
    checkFraction(report, [...path, 'delay', 'percentage'], delay.percentage);
    checkDuration(report, [...path, 'delay', 'fixedDelay'], delay.fixedDelay);
    if (delay.exponentialDelay !== undefined) {
      report.error(
        NOT_ALLOWED,
        [...path, 'delay', 'exponentialDelay'],
        '`exponentialDelay` is not supported',
        undefined,
        'key',
      );
    }
  }
}

function checkAbort(report: Report, path: Path, abort: NonNullable<HTTPFaultInjection['abort']>): void {
  checkFraction(report, [...path, 'percentage'], abort.percentage);
  const { grpcStatus, http2Error, httpStatus } = abort;
  if (grpcStatus !== undefined) {
    if (GRPC_STATUS.has(grpcStatus)) return;
    const guess = didYouMean(grpcStatus, GRPC_STATUS);
    const help = guess ? `did you mean \`${guess}\`?` : 'a name such as `NOT_FOUND`';
    report.error(BAD_VALUE, [...path, 'grpcStatus'], `\`${grpcStatus}\` is not a gRPC status`, help);
  } else if (http2Error !== undefined) {
    report.error(NOT_ALLOWED, [...path, 'http2Error'], '`http2Error` is not supported', undefined, 'key');
  } else if (httpStatus !== undefined) checkHttpStatus(report, [...path, 'httpStatus'], httpStatus);
  else report.warn(NO_EFFECT, path, 'an `abort` without a status aborts nothing', 'set `httpStatus` or `grpcStatus`');
}

export function checkHttpStatus(report: Report, path: Path, status: number | undefined): void {
  if ((status ?? 0) < 200 || (status ?? 0) > 600) {
    report.error(OUT_OF_RANGE, path, `\`${status ?? 0}\` is not an HTTP status between 200 and 599`);
  }
}
