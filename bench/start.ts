/**
 * From exec to ready: `mizzen proxy` beside Envoy with the same bootstrap (the admin endpoint says LIVE, and every
 * listener takes connections), and `mizzen version`. CPU time is of all threads, user and system. Argument: rounds (15).
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { envoyBinary, freePort, repositoryRoot } from '@mizzen/testkit';
import { end, median } from './lib/measure.ts';
import { startBootstrap } from './lib/start-config.ts';

interface Start {
  readonly wall: number;
  readonly cpu: number;
}

const mizzen = join(repositoryRoot, 'packages/cli/bin/mizzen.mjs');
const rounds = Number(process.argv[2] ?? 15);
const folder = mkdtempSync(join(tmpdir(), 'mizzen-start-'));
const subjects: Readonly<Record<string, () => Promise<Start>>> = {
  'envoy, ready': () => untilReady(envoyBinary(), '--concurrency', '1', '--use-dynamic-base-id', '-l', 'off'),
  'mizzen proxy, ready': () => untilReady(process.execPath, mizzen, 'proxy', '-l', 'off'),
  'mizzen version': () => untilEnd(process.execPath, mizzen, 'version'),
  'node, nothing': () => untilEnd(process.execPath, '-e', '0'),
};

try {
  const starts = new Map(Object.keys(subjects).map((name) => [name, [] as Start[]]));
  // The first of each fills caches.
  for (let round = 0; round <= rounds; round++)
    for (const [name, run] of Object.entries(subjects)) {
      const start = await run();
      if (round > 0) starts.get(name)!.push(start);
    }
  process.stdout.write('| start | ms | CPU ms |\n|---|---|---|\n');
  for (const [name, all] of starts) {
    const of = (key: keyof Start): string => median(all.map((start) => start[key])).toFixed(0);
    process.stdout.write(`| ${name} | ${of('wall')} | ${of('cpu')} |\n`);
  }
  process.stdout.write(`\nmedians of ${rounds}\n`);
} finally {
  rmSync(folder, { recursive: true, force: true });
}

async function untilReady(program: string, ...args: string[]): Promise<Start> {
  const ports = { admin: await freePort(), web: await freePort(), api: await freePort(), tcp: await freePort() };
  const file = join(folder, 'bootstrap.json');
  writeFileSync(file, JSON.stringify(startBootstrap(ports)));
  const begun = performance.now();
  const child = spawn(program, [...args, '-c', file], { stdio: 'ignore' });
  try {
    while (!(await isLive(ports.admin))) {
      if (child.exitCode !== null) throw new Error(`${program} ended with status ${child.exitCode}`);
      await new Promise((done) => setTimeout(done, 3));
    }
    const start = { wall: performance.now() - begun, cpu: cpuOf(child) };
    for (const port of [ports.web, ports.api, ports.tcp])
      if (!(await accepts(port))) throw new Error(`nothing listens on ${port}, though ${program} is ready`);
    return start;
  } finally {
    await end(child);
  }
}

async function untilEnd(program: string, ...args: string[]): Promise<Start> {
  const begun = performance.now();
  const child = spawn('bash', ['-c', '"$@" >/dev/null; times', 'bash', program, ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let text = '';
  child.stdout.on('data', (data: Buffer) => (text += data.toString()));
  await new Promise((done) => child.once('close', done));
  const wall = performance.now() - begun;
  // The second line is about children: user and system.
  const [user = 0, system = 0] = (text.split('\n')[1] ?? '').split(' ').map(secondsOf);
  return { wall, cpu: 1000 * (user + system) };
}

function secondsOf(time: string): number {
  const [, minutes, seconds] = /(\d+)m([\d.]+)s/.exec(time)!;
  return 60 * Number(minutes) + Number(seconds);
}

/** CPU time of all threads of a process, milliseconds. */
function cpuOf({ pid }: ChildProcess): number {
  const tasks = readdirSync(`/proc/${pid}/task`);
  const nanoseconds = tasks.map((task) =>
    Number(readFileSync(`/proc/${pid}/task/${task}/schedstat`, 'latin1').split(' ')[0]),
  );
  return nanoseconds.reduce((sum, each) => sum + each, 0) / 1e6;
}

function isLive(port: number): Promise<boolean> {
  return new Promise((done) => {
    const socket = connect(port, '127.0.0.1', () => socket.write('GET /ready HTTP/1.1\r\nhost: localhost\r\n\r\n'));
    socket.once('data', (data) => {
      socket.destroy();
      done(data.toString().startsWith('HTTP/1.1 200'));
    });
    socket.on('error', () => done(false));
  });
}

function accepts(port: number): Promise<boolean> {
  return new Promise((done) => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.destroy();
      done(true);
    });
    socket.on('error', () => done(false));
  });
}
