import type { types } from '@mizzen/xds';
import type { CompileContext } from '../../program/context.ts';
import type { Path } from '../../program/path.ts';

/** What answers are good ones. */
export interface Criteria {
  http(status: number): boolean;
  /** Undefined: what is said is no status. */
  grpc(status: number | undefined): boolean;
}

/** Those that say that the service has too much to do, or is broken: 4, 8, 10, 13, 14 and 15. */
const WELL_ENOUGH: readonly number[] = [0, 1, 2, 3, 5, 6, 7, 9, 11, 12, 16];
const MOST_STATUS = 16;

export function compileCriteria(
  context: CompileContext,
  { httpCriteria, grpcCriteria }: types.admissionControl.AdmissionControl_SuccessCriteria,
  path: Path,
): Criteria {
  const ranges = httpCriteria?.httpSuccessStatus?.map(({ start = 0, end = 0 }, i) => {
    if (start > end || start < 100 || start >= 600 || end < 100 || end > 600)
      context.refuse([...path, 'httpCriteria', 'httpSuccessStatus', i], 'must be a range within [100, 600)');
    return { start, end };
  });
  const codes = new Set(grpcCriteria?.grpcSuccessStatus ?? WELL_ENOUGH);
  (grpcCriteria?.grpcSuccessStatus ?? []).forEach((code, i) => {
    if (code > MOST_STATUS)
      context.refuse([...path, 'grpcCriteria', 'grpcSuccessStatus', i], `must be at most ${MOST_STATUS}`);
  });
  return {
    http: (status) =>
      ranges === undefined ? status < 500 : ranges.some(({ start, end }) => status >= start && status < end),
    grpc: (status) => status !== undefined && codes.has(status),
  };
}
