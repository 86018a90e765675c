import { setTimeout as sleep } from 'node:timers/promises';
import { runningMesh } from '@mizzen/runtime/supervisor/lock.ts';
import { type Command } from '../command.ts';
import { client, meshFlags, talk } from '../running.ts';

const WAIT_MS = 8_000;

export const command: Command = {
  name: 'stop',
  usage: '',
  summary: 'Stops a running mesh, as Ctrl-C where it runs would.',
  flags: { 'state-dir': meshFlags['state-dir'], name: meshFlags.name },
  run(invocation) {
    const { values, out, err } = invocation;
    return talk(invocation, async () => {
      const api = client(values);
      const running = runningMesh(api.state);
      await api.post('/api/stop');
      for (let waited = 0; waited < WAIT_MS; waited += 50) {
        if (runningMesh(api.state)?.pid !== running?.pid) {
          out.write('stopped\n');
          return 0;
        }
        await sleep(50);
      }
      err.write(`mizzen: pid ${running?.pid} is still stopping\n`);
      return 1;
    });
  },
};
