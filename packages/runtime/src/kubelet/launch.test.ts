import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { groupAlive } from './process-group.ts';
import { launcher, type Exit, type Running } from './launch.ts';
import { plainWords } from './words.ts';

const groups = { add: () => {}, remove: () => {} };

/** Runs a command that says `up` when it is, and collects what it prints. */
async function run(command: string | string[], dir = '.'): Promise<{ running: Running; lines: string[] }> {
  const lines: string[] = [];
  const env = { PATH: process.env.PATH ?? '' };
  const running = launcher(groups)({ command, dir, env, onLine: (_stream, line) => lines.push(line) });
  const ended = running.exited.then(() => true);
  while (!lines.includes('up') && !(await Promise.race([ended, sleep(10)]))) continue;
  return { running, lines };
}

/** Takes 300 ms to finish its work after a SIGTERM. */
const FINISHES = `process.on('SIGTERM', () => setTimeout(() => { console.log('finished'); process.exit(0); }, 300)); console.log('up'); setInterval(() => {}, 1000)`;

test.each([
  ['as a list', ['node', '-e', FINISHES]],
  ['in a shell', `node -e "${FINISHES}"`],
  ['in a shell that waits for it', `node -e "${FINISHES}"; true`],
])('a program %s finishes its work after SIGTERM', async (_how, command) => {
  const { running, lines } = await run(command);
  running.signal('SIGTERM');
  await running.exited;
  expect(lines).toEqual(['up', 'finished']);
});

test.each([
  ['a list', ['node', '-p', 'JSON.stringify(process.argv.slice(1))', '--']],
  ['a shell text', `node -p "JSON.stringify(process.argv.slice(1))" --`],
])('arguments follow %s, each as one word', async (_how, command) => {
  const lines: string[] = [];
  const args = ['two words', '$HOME', `it's`];
  const env = { PATH: process.env.PATH ?? '' };
  const running = launcher(groups)({ command, args, dir: '.', env, onLine: (_stream, line) => lines.push(line) });
  await running.exited;
  expect(JSON.parse(lines[0]!)).toEqual(args);
});

test('what does not end on SIGTERM ends on SIGKILL', async () => {
  const { running } = await run(
    `node -e "process.on('SIGTERM', () => {}); console.log('up'); setInterval(() => {}, 1000)"; true`,
  );
  running.signal('SIGTERM');
  expect(await Promise.race([running.exited, sleep(200, 'still there')])).toBe('still there');
  running.signal('SIGKILL');
  await running.exited;
  await expect.poll(() => groupAlive(running.pid!)).toBe(false);
});

test('what a program leaves behind when it ends by itself goes with it', async () => {
  const { running, lines } = await run(`sh -c 'sleep 60 & echo $!; echo up'`);
  await running.exited;
  expect(Number(lines[0])).toBeGreaterThan(1);
  await expect.poll(() => groupAlive(running.pid!)).toBe(false);
});

test('a failure to start names what is missing', async () => {
  const error = async (command: string[], dir: string): Promise<Exit> => (await run(command, dir)).running.exited;
  expect((await error(['node'], '/no/such/directory')).error).toBe('the directory `/no/such/directory` does not exist');
  expect((await error(['no-such-program'], '.')).error).toBe('`no-such-program` was not found');
  expect((await error(['node'], '/etc/passwd')).error).toBe('`/etc/passwd` is not a directory');
  expect((await error(['node', 'x'.repeat(300_000)], '.')).error).toBe('its arguments or its environment are too long');
  expect((await error(['node', '\0'], '.')).error).toContain('without null bytes');
});

test.each([
  ['node src/main.ts --port 80', ['node', 'src/main.ts', '--port', '80']],
  ['PORT=1 node main.ts', undefined],
  ['echo "two words"', undefined],
  ['a && b', undefined],
  ['  spaced   out  ', ['spaced', 'out']],
])('%j needs a shell or not', (text, words) => {
  expect(plainWords(text)).toEqual(words);
});
