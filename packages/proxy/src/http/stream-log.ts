import type { Timer } from '../deps.ts';
import { entered } from './io.ts';
import type { ActiveStream } from './stream.ts';

/** Writes a line to every access log that wants one. */
export function logStream(stream: ActiveStream): void {
  const { program, accessLogSinks } = stream.hcm;
  const logs = program.accessLogs;
  for (let i = 0; i < logs.length; i++) {
    const log = logs[i]!;
    if (log.shouldLog === undefined || log.shouldLog(stream)) accessLogSinks[i]!.write(log.format(stream));
  }
}

/** Logs a stream that goes on, every so often; undefined when the configuration does not ask for that. */
export function logPeriodically(stream: ActiveStream): Timer | undefined {
  const { program, deps } = stream.hcm;
  if (program.flushAccessLogOnNewRequest) logStream(stream);
  const interval = program.accessLogFlushInterval;
  if (interval <= 0 || program.accessLogs.length === 0) return undefined;
  let timer: Timer;
  const again = (): void => {
    entered(() => logStream(stream));
    timer = deps.clock.after(interval, again);
  };
  timer = deps.clock.after(interval, again);
  return { cancel: () => timer.cancel() };
}
