import type { Timer } from '../deps.ts';
import { entered } from './turn.ts';
import type { ActiveStream } from './stream.ts';

/** Tells every access log that wants to know. */
function logAs(stream: ActiveStream, type: ActiveStream['logType']): void {
  const { accessLoggers } = stream.hcm;
  stream.logType = type;
  for (let i = 0; i < accessLoggers.length; i++) accessLoggers[i]!(stream);
  stream.logType = undefined;
}

/** Logs a stream that is over. */
export function logEnd(stream: ActiveStream): void {
  logAs(stream, 'DownstreamEnd');
}

/** Logs a tunnel that begins, where that is asked for. */
export function logTunnel(stream: ActiveStream): void {
  if (stream.hcm.program.logsTunnels === true) logAs(stream, 'DownstreamTunnelSuccessfullyEstablished');
}

/** Logs a stream that goes on, every so often; undefined when the configuration does not ask for that. */
export function logPeriodically(stream: ActiveStream): Timer | undefined {
  const { program, deps } = stream.hcm;
  if (program.flushAccessLogOnNewRequest) {
    // It tells the route and the cluster.
    stream.route();
    logAs(stream, 'DownstreamStart');
  }
  const interval = program.accessLogFlushInterval;
  if (interval <= 0 || program.accessLogs.length === 0) return undefined;
  let timer: Timer;
  const again = (): void => {
    entered(() => logAs(stream, 'DownstreamPeriodic'));
    timer = deps.clock.after(interval, again);
  };
  timer = deps.clock.after(interval, again);
  return { cancel: () => timer.cancel() };
}
