import { readFileSync } from 'node:fs';
import { packDesired } from '../../desired.ts';
import type { DesiredWorkload, FromControl, ToControl } from '../../protocol.ts';

/** A control process for tests: what should run is the JSON of the first file; commands are lines of `FILE.commands`. */
const send = (message: FromControl): void => void process.send?.(message);

process.on('message', (message: ToControl) => {
  if (message.type === 'shutdown') process.exit(0);
  if (message.type === 'pods' && message.sequence !== undefined) {
    send({ type: 'pods-converged', sequence: message.sequence });
  }
  if (message.type !== 'configure') return;
  const [file = ''] = message.options.files;
  let known = '';
  const desired = (): void => {
    const text = readFileSync(file, 'utf8');
    if (text === known) return;
    known = text;
    const { workloads, gateways = [] } = JSON.parse(text) as {
      workloads: DesiredWorkload[];
      gateways?: DesiredWorkload[];
    };
    send({ type: 'desired', ...packDesired({ workloads, gateways }) });
  };
  send({ type: 'listening', api: `127.0.0.1:${message.options.apiPort}`, xds: message.options.xdsSocket });
  desired();
  setInterval(desired, 50);
});
process.on('disconnect', () => process.exit(0));
