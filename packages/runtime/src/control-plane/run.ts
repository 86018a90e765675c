import { watchParent } from '../supervisor/parent.ts';
import { eventLines } from '../terminal/lines.ts';
import { styler } from '../terminal/style.ts';
import type { ControlPlaneOptions } from './options.ts';
import { startControlPlane } from './start.ts';
import type { RunningControlPlane } from './start.ts';

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** Serves until a signal comes; prints a line for each event. Returns the exit status. */
export async function runControlPlane(
  options: ControlPlaneOptions,
  out: NodeJS.WritableStream,
  fail: (text: string) => void,
): Promise<number> {
  const style = styler(options.color);
  const print = (line: string): void => void out.write(`${line}\n`);
  const ended = Promise.withResolvers<void>();
  const stop = (): void => ended.resolve();
  for (const signal of SIGNALS) process.on(signal, stop);
  const orphaned = watchParent(process.env, stop);
  let running: RunningControlPlane;
  try {
    running = await startControlPlane(options, (event) => {
      for (const line of eventLines(event, style)) print(line);
    });
  } catch (error) {
    fail(error instanceof Error ? error.message : String(error));
    return 1;
  }
  const { grpc, tls, http } = running.ports;
  print(`xDS on 127.0.0.1:${grpc}, over TLS on ${options.tlsHost}:${tls}, debug pages on http://127.0.0.1:${http}`);
  if (options.socket !== undefined) print(`xDS on ${options.socket}`);
  print('ready');
  await ended.promise;
  print('stopping');
  await running.close();
  orphaned.stop();
  for (const signal of SIGNALS) process.off(signal, stop);
  return 0;
}
