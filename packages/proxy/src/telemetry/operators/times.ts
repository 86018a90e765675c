import type { StreamInfo } from '../../types.ts';
import { isoTime, timeFormat } from '../access-log-time.ts';
import { info, type OperatorFactory } from './operator.ts';

const since = (
  end: (info: StreamInfo) => number | undefined,
  start: (info: StreamInfo) => number = (i) => i.startTime,
): OperatorFactory =>
  info((i) => {
    const to = end(i);
    const from = start(i);
    return to === undefined || to < 0 || from < 0 ? undefined : Math.round(to - from);
  });

const startTime: OperatorFactory = (argument) => {
  if (argument === undefined || argument === '') return (source) => isoTime(source.info.startWall);
  const format = timeFormat(argument);
  return format === undefined
    ? { problem: `\`${argument}\` is not a format of times` }
    : (source) => format(source.info.startWall);
};

const emitTime: OperatorFactory = (argument, deps) => {
  const format = argument === undefined || argument === '' ? isoTime : timeFormat(argument);
  return format === undefined ? { problem: `\`${argument}\` is not a format of times` } : () => format(deps.wall());
};

/** Points in time that COMMON_DURATION is between. */
const POINTS: Readonly<Record<string, (info: StreamInfo) => number | undefined>> = {
  DS_RX_BEG: (i) => i.startTime,
  DS_RX_END: (i) => i.requestEndTime,
  US_TX_BEG: (i) => i.upstreamStartTime,
  US_TX_END: (i) => i.upstreamRequestEndTime,
  US_RX_BEG: (i) => i.upstreamResponseTime,
  DS_TX_END: (i) => (i.protocol === '' ? undefined : i.responseEndTime),
};
const commonDuration: OperatorFactory = (argument) => {
  const [start = '', end = '', precision = 'ms'] = (argument ?? '').split(':');
  const from = POINTS[start];
  const to = POINTS[end];
  const factor = ({ ms: 1, us: 1000, ns: 1_000_000 } as Record<string, number>)[precision];
  if (from === undefined || to === undefined || factor === undefined) return { problem: 'needs START:END:PRECISION' };
  return ({ info: i }) => {
    const a = from(i);
    const b = to(i);
    return a === undefined || b === undefined || a < 0 || b < 0 ? undefined : Math.round((b - a) * factor);
  };
};

/** When something was, and how long it took. */
export const TIME_OPERATORS: Readonly<Record<string, OperatorFactory>> = {
  START_TIME: startTime,
  START_TIME_LOCAL: startTime,
  EMIT_TIME: emitTime,
  EMIT_TIME_LOCAL: emitTime,
  DURATION: since((i) => i.responseEndTime),
  COMMON_DURATION: commonDuration,
  REQUEST_DURATION: since((i) => i.requestEndTime),
  REQUEST_TX_DURATION: since((i) => i.upstreamRequestEndTime ?? (i.upstreamHost === '' ? undefined : i.requestEndTime)),
  RESPONSE_DURATION: since((i) => i.upstreamResponseTime),
  RESPONSE_TX_DURATION: since(
    (i) => i.responseEndTime,
    (i) => i.upstreamResponseTime ?? -1,
  ),
  UPSTREAM_CONNECTION_POOL_READY_DURATION: since(
    (i) => i.poolReady,
    (i) => i.poolWaitStart ?? -1,
  ),
  // From the start of the request: it is negative where the connection was there before. Only HTTP knows it.
  DOWNSTREAM_HANDSHAKE_DURATION: info((i) => {
    const end = i.connection.tls?.handshakeEnd ?? -1;
    return end < 0 || i.protocol === '' ? undefined : Math.trunc(end - i.startTime);
  }),
  ROUTE_RESOLUTION_TIME_US: (argument, deps) => {
    if (argument !== undefined) return { problem: 'takes no argument' };
    if (deps.routeTimes !== undefined) deps.routeTimes.measured = true;
    return ({ info: { protocol, routeResolutionTime: time = 0 } }) =>
      protocol === '' ? undefined : Math.floor(time * 1000);
  },
};
