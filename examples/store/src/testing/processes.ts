import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { freePort } from '@mizzen/testkit';

const sources = join(import.meta.dirname, '..');

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  // What a test says about an answer is checked by the test.
  readonly json: Record<string, unknown>;
}

export interface Running {
  readonly url: string;
  output(): string;
  get(path: string, init?: RequestInit): Promise<Answer>;
  post(path: string, body: unknown, headers?: Readonly<Record<string, string>>): Promise<Answer>;
  /** Sends a signal and waits for the end, and for the last of the output; resolves with the exit status. */
  end(signal?: NodeJS.Signals): Promise<number | null>;
}

/** One service of the store as a process of its own, on a free port, outside any mesh. */
export async function runService(
  name: string,
  env: Readonly<Record<string, string>>,
  options: { readonly ready?: boolean } = {},
): Promise<Running> {
  const port = env.PORT === undefined ? await freePort() : Number(env.PORT);
  const child = spawn(process.execPath, [join(sources, name, 'main.ts')], {
    cwd: env.CWD ?? join(sources, '..'),
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { PATH: process.env.PATH, PORT: String(port), ...env },
  });
  let output = '';
  child.stdout.on('data', (data: Buffer) => (output += data.toString()));
  child.stderr.on('data', (data: Buffer) => (output += data.toString()));
  const exited = new Promise<number | null>((done) => child.once('close', done));
  const url = `http://127.0.0.1:${port}`;
  const running: Running = {
    url,
    output: () => output,
    async get(path, init) {
      const response = await fetch(`${url}${path}`, init);
      const text = await response.text();
      const json = text.startsWith('{') ? (JSON.parse(text) as Record<string, unknown>) : {};
      return { status: response.status, headers: response.headers, json };
    },
    post: (path, body, headers = {}) =>
      running.get(path, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...headers },
        body: JSON.stringify(body),
      }),
    async end(signal = 'SIGTERM') {
      child.kill(signal);
      return exited;
    },
  };
  const path = options.ready === false ? '/health/live' : '/health/ready';
  await until(`${name} is ready`, async () => {
    if (child.exitCode !== null) throw new Error(`${name} ended:\n${output}`);
    return (await running.get(path).catch(() => undefined))?.status === 200;
  }).catch((error: unknown) => {
    child.kill('SIGKILL');
    throw new Error(`${String(error)}\n${output}`);
  });
  return running;
}

/** Asks again until the answer is yes. */
export async function until(what: string, ask: () => Promise<boolean> | boolean, timeoutMs = 60_000): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  while (!(await ask())) {
    if (performance.now() > deadline) throw new Error(`not after ${timeoutMs} ms: ${what}`);
    await new Promise((done) => setTimeout(done, 50));
  }
}
