import { writeFileSync } from 'node:fs';
import { frame, Load, type LoadOptions, progressLine, RemoteRefused, textOf } from '@mizzen/load';
import type { Invocation } from '../command.ts';
import { makeGiven } from './given-file.ts';

const REDRAW_MS = 250;
const LINE_MS = 5000;

export interface Driving extends Pick<Invocation, 'out' | 'err' | 'color'> {
  readonly quiet: boolean;
  readonly output: 'text' | 'json';
  /** File of the HTML report. */
  readonly report: string | undefined;
}

/** Runs a load to its end, shows how it goes, and reports; the exit status. */
export async function drive(options: LoadOptions, driving: Driving): Promise<number> {
  const { out, err, color, output, report } = driving;
  const load = new Load(options);
  try {
    await load.prepare();
  } catch (error) {
    await load.close();
    err.write(`mizzen: ${(error as Error).message}\n`);
    if (!(error instanceof RemoteRefused)) return 1;
    err.write('  help: load stays on this machine and in its mesh; --allow-remote lets it out\n');
    return 2;
  }
  // Rather now than when there is a result that cannot be kept.
  if (report !== undefined) makeGiven(report);
  const interrupt = (): void => load.run.stop('interrupted');
  process.once('SIGINT', interrupt).once('SIGTERM', interrupt);
  const stopShowing = driving.quiet ? () => undefined : show(load, driving);
  const result = await load.start();
  stopShowing();
  process.off('SIGINT', interrupt).off('SIGTERM', interrupt);
  out.write(output === 'json' ? `${JSON.stringify(result, undefined, 2)}\n` : textOf(result, { color }));
  if (report !== undefined) {
    const { htmlOf } = await import('@mizzen/load/report/html.ts');
    writeFileSync(report, htmlOf(result));
    err.write(`mizzen: the report is in ${report}\n`);
  }
  return result.ok ? 0 : 1;
}

/** Progress on stderr: drawn over itself in a terminal, else a line now and then. Returns what ends it. */
function show({ run }: Load, { err }: Driving): () => void {
  const terminal = err as Partial<NodeJS.WriteStream> & NodeJS.WritableStream;
  if (terminal.isTTY !== true) {
    const timer = setInterval(() => err.write(`${progressLine(run)}\n`), LINE_MS);
    return () => clearInterval(timer);
  }
  const color = process.env.NO_COLOR === undefined;
  let drawn = 0;
  const erase = (): string => (drawn === 0 ? '' : `\u001b[${drawn}A\u001b[J`);
  const draw = (): void => {
    const lines = frame(run, (terminal.columns ?? 80) - 1, color);
    terminal.write(`${erase()}${lines.join('\n')}\n`);
    drawn = lines.length;
  };
  const timer = setInterval(draw, REDRAW_MS);
  return () => {
    clearInterval(timer);
    terminal.write(erase());
  };
}
