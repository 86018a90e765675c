import { setTimeout as sleep } from 'node:timers/promises';
import { ApiError } from '@mizzen/runtime/supervisor/api-client.ts';
import { runningMesh } from '@mizzen/runtime/supervisor/lock.ts';
import { type Command } from '../command.ts';
import { client, meshFlags, talk } from '../running.ts';

const WAIT_MS = 8_000;

/** A mesh with little to stop may be gone before it has answered. */
function unanswered(error: unknown): ApiError {
  if (error instanceof ApiError && error.code === 'unreachable') return error;
  throw error;
}

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
      const lost = await api.post('/api/stop').then(() => undefined, unanswered);
      for (let waited = 0; waited < WAIT_MS; waited += 50) {
        if (runningMesh(api.state)?.pid !== running?.pid) {
          out.write('stopped\n');
          return 0;
        }
        await sleep(50);
      }
      if (lost !== undefined) throw lost;
      err.write(`mizzen: pid ${running?.pid} is still stopping\n`);
      return 1;
    });
  },
};
