import type { StreamInfo } from '../../types.ts';
import { isoTime, localIsoTime, timeFormat } from '../access-log-time.ts';
import { info, type OperatorDeps, type OperatorFactory } from './operator.ts';

const since = (
  end: (info: StreamInfo) => number | undefined,
  start: (info: StreamInfo) => number = (i) => i.startTime,
): OperatorFactory =>
  info((i) => {
    const to = end(i);
    const from = start(i);
    return to === undefined || to < 0 || from < 0 ? undefined : Math.round(to - from);
  });

/** When the last of the response was sent. */
const sent = (i: StreamInfo): number | undefined => (i.responseUnfinished === true ? undefined : i.responseEndTime);

/** `NAME` or `NAME(FORMAT)` of the time that `wall` reads. */
function time(wall: (info: StreamInfo, deps: OperatorDeps) => number, local: boolean): OperatorFactory {
  return (argument, deps) => {
    const whole = local ? localIsoTime : isoTime;
    const format = argument === undefined || argument === '' ? whole : timeFormat(argument, local);
    return (source) => format(wall(source.info, deps));
  };
}
const started = (i: StreamInfo): number => i.startWall;
const now = (_: StreamInfo, deps: OperatorDeps): number => deps.wall();

const startTime = time(started, false);

/** Points in time that COMMON_DURATION is between. */
const POINTS: Readonly<Record<string, (info: StreamInfo) => number | undefined>> = {
  DS_RX_BEG: (i) => i.startTime,
  DS_RX_END: (i) => i.requestEndTime,
  US_CX_BEG: (i) => i.upstreamConnection?.times?.start,
  US_CX_END: (i) => i.upstreamConnection?.times?.connected,
  US_HS_END: (i) => i.upstreamConnection?.times?.secured,
  US_TX_BEG: (i) => i.upstreamStartTime,
  US_TX_END: (i) => i.upstreamRequestEndTime,
  US_RX_BEG: (i) => i.upstreamResponseTime,
  US_RX_BODY_BEG: (i) => i.upstreamBodyTime,
  US_RX_END: (i) => i.upstreamResponseEndTime,
  DS_TX_BEG: (i) => i.responseStartTime,
  DS_TX_END: (i) => (i.protocol === '' ? undefined : sent(i)),
};
/** Times of other names would be those that extensions note: nothing here does. */
const commonDuration: OperatorFactory = (argument) => {
  const [start = '', end, precision = 'ms', ...more] = (argument ?? '').split(':');
  const factor = ({ ms: 1, us: 1000, ns: 1_000_000 } as Record<string, number>)[precision];
  if (end === undefined || factor === undefined || more.length > 0) return { problem: 'needs START:END:PRECISION' };
  const [from, to] = [POINTS[start], POINTS[end]];
  return ({ info: i }) => {
    const a = from?.(i) ?? -1;
    const b = to?.(i) ?? -1;
    return a < 0 || b < 0 ? undefined : Math.round((b - a) * factor);
  };
};

/** When something was, and how long it took. */
export const TIME_OPERATORS: Readonly<Record<string, OperatorFactory>> = {
  START_TIME: (argument, deps) =>
    argument === undefined || argument === '' ? ({ info: i }) => isoTime(i.startWall) : startTime(argument, deps),
  START_TIME_LOCAL: time(started, true),
  EMIT_TIME: time(now, false),
  EMIT_TIME_LOCAL: time(now, true),
  // Of what goes on it is the time so far.
  DURATION: (argument, deps) =>
    argument === undefined
      ? ({ info: i }) => Math.round(i.responseEndTime < 0 ? deps.wall() - i.startWall : i.responseEndTime - i.startTime)
      : { problem: 'takes no argument' },
  COMMON_DURATION: commonDuration,
  REQUEST_DURATION: since((i) => i.requestEndTime),
  REQUEST_TX_DURATION: since((i) => i.upstreamRequestEndTime ?? (i.upstreamHost === '' ? undefined : i.requestEndTime)),
  RESPONSE_DURATION: since((i) => i.upstreamResponseTime),
  RESPONSE_TX_DURATION: since(sent, (i) => i.upstreamResponseTime ?? -1),
  UPSTREAM_CONNECTION_POOL_READY_DURATION: since(
    (i) => i.poolReady,
    (i) => i.poolWaitStart ?? -1,
  ),
  // From the start of the request: it is negative where the connection was there before. Only HTTP knows it.
  DOWNSTREAM_HANDSHAKE_DURATION: info((i) => {
    const end = i.connection.tls?.handshakeEnd ?? -1;
    return end < 0 || i.protocol === '' ? undefined : Math.trunc(end - i.startTime);
  }),
  // Only HTTP/3 acknowledges what a client has got.
  ROUNDTRIP_DURATION: info(() => undefined),
  ROUTE_RESOLUTION_TIME_US: (argument, deps) => {
    if (argument !== undefined) return { problem: 'takes no argument' };
    if (deps.routeTimes !== undefined) deps.routeTimes.measured = true;
    return ({ info: { protocol, routeResolutionTime: time = 0 } }) =>
      protocol === '' ? undefined : Math.floor(time * 1000);
  },
};
