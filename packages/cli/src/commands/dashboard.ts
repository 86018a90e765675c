import { spawn } from 'node:child_process';
import { ApiError } from '@mizzen/runtime/supervisor/api-client.ts';
import { ApiFile } from '@mizzen/runtime/supervisor/api-file.ts';
import { runningMesh } from '@mizzen/runtime/supervisor/lock.ts';
import { type Command, flag, UsageError } from '../command.ts';
import { client, meshFlags, talk } from '../running.ts';

export const command: Command = {
  name: 'dashboard',
  usage: '',
  summary: 'Opens the console of a running mesh in a browser, with the right to change things, and prints its address.',
  flags: {
    'state-dir': meshFlags['state-dir'],
    name: meshFlags.name,
    'no-browser': { type: 'boolean', help: 'only print the address' },
  },
  examples: ['mizzen dashboard', 'mizzen dashboard --no-browser'],
  run(invocation) {
    const { positionals, values, out, err } = invocation;
    if (positionals.length > 0) throw new UsageError('there is one console for all that runs');
    return talk(invocation, async () => {
      const api = client(values);
      const { state } = api;
      if (runningMesh(state) === undefined) {
        throw new ApiError('not-running', `no mesh runs in \`${state.path}\`; \`mizzen up\` starts one`);
      }
      const url = new ApiFile(state).console();
      if (url === undefined) throw new ApiError('no-console', 'this mesh was started without a console');
      out.write(`${url}\n`);
      if (flag(values, 'no-browser')) return 0;
      // Whoever opens it this way may change things. What a command line shows to others is good only once.
      const { code } = await api.post<{ readonly code: string }>('/api/console/code');
      if (!(await open(`${url}/#code=${code}`))) {
        err.write('mizzen: no browser could be started; open the address yourself\n');
      }
      return 0;
    });
  },
};

const OPENERS: Readonly<Partial<Record<NodeJS.Platform, readonly string[]>>> = {
  darwin: ['open'],
  win32: ['explorer.exe'],
};

/** False when there is nothing that opens addresses. */
function open(url: string): Promise<boolean> {
  const [program, ...args] = OPENERS[process.platform] ?? ['xdg-open'];
  return new Promise((resolve) => {
    const child = spawn(program!, [...args, url], { stdio: 'ignore', detached: true });
    child.once('error', () => resolve(false));
    child.once('spawn', () => {
      child.unref();
      resolve(true);
    });
  });
}
