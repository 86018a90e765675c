/**
 * The control process: reads files, decides what should run, serves xDS and the API. Started by `mizzen up`, which tells
 * it over IPC what to do; it ends when that channel closes.
 */
import { translate, translateReadiness } from '@mizzen/translator';
import type { FromControl, ToControl } from '../protocol.ts';
import { startControl } from './start.ts';
import type { RunningControl } from './start.ts';

function send(message: FromControl, sent?: () => void): void {
  if (process.connected) process.send?.(message, () => sent?.());
}

let running: Promise<RunningControl | undefined> | undefined;

process.on('message', (message: ToControl) => {
  if (message.type === 'configure') {
    running ??= startControl(message.options, { send, translate, translateReadiness }).catch((error: unknown) => {
      const text = error instanceof Error ? error.message : String(error);
      // What keeps a second one from starting may be over for a third.
      send({ type: 'fatal', text }, message.options.again === true ? () => process.exit(1) : undefined);
      return undefined;
    });
    return;
  }
  void running?.then(async (control) => {
    if (message.type !== 'shutdown') return control?.handle(message);
    await control?.close();
    process.disconnect?.();
  });
});
process.on('disconnect', () => process.exit(0));
// `mizzen up` decides when this process ends, also when a terminal's Ctrl-C reaches both.
for (const signal of ['SIGINT', 'SIGHUP'] as const) process.on(signal, () => undefined);
