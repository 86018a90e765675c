import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort, repositoryRoot } from '@mizzen/testkit';
import { engineArguments, type Engine } from './engines.ts';

const program = join(repositoryRoot, 'packages/cli/bin/mizzen.mjs');

export interface Mesh {
  readonly pid: number;
  readonly apiPort: number;
  readonly gatewayPort: number;
  readonly stateDir: string;
  /** Everything `mizzen up` printed so far. */
  output(): string;
  /** Waits until its output holds `text` (after `from` characters). Rejects with the output when it does not come. */
  saw(text: string | RegExp, from?: number, timeoutMs?: number): Promise<void>;
  /** A request to the ingress gateway. */
  get(path: string, options?: RequestOptions): Promise<Answer>;
  api(path: string, options?: RequestOptions): Promise<Answer>;
  /** Runs another `mizzen` command against this mesh. */
  mizzen(...args: string[]): Promise<CommandResult>;
  /** Sends SIGINT and waits for the end; resolves with the exit status and how long it took. */
  stop(): Promise<{ status: number | null; milliseconds: number }>;
  kill(signal: NodeJS.Signals): Promise<void>;
}
export interface RequestOptions {
  readonly host?: string;
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}
export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
}
export interface CommandResult {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs one `mizzen` command to its end. */
export function mizzen(args: readonly string[], options: { readonly cwd?: string } = {}): Promise<CommandResult> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [program, ...args], {
      cwd: options.cwd ?? repositoryRoot,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let stdout = '';
    let stderr = '';
    child.stdout.on('data', (data: Buffer) => (stdout += data.toString()));
    child.stderr.on('data', (data: Buffer) => (stderr += data.toString()));
    child.on('error', reject);
    child.on('close', (status) => resolve({ status: status ?? -1, stdout, stderr }));
  });
}

export interface UpOptions {
  readonly ready?: boolean;
  /** How long to wait for that. */
  readonly readyMs?: number;
  readonly stateDir?: string;
  readonly serverPort?: number;
  readonly engine?: Engine;
  readonly env?: Readonly<Record<string, string>>;
  /** Workloads that run on Envoy in a mixed mesh. */
  readonly onEnvoy?: readonly string[];
}

/**
 * Starts `mizzen up` with ports and a state directory of its own, and waits until it says it is ready. `serverPort` is the
 * port of the Gateway that `get` asks.
 */
export async function up(args: readonly string[], options: UpOptions = {}): Promise<Mesh> {
  const apiPort = await freePort();
  const gatewayPort = await freePort();
  const stateDir = options.stateDir ?? mkdtempSync(join(tmpdir(), 'mizzen-e2e-'));
  const all = [
    program,
    'up',
    ...args,
    ...engineArguments(options.engine ?? 'embedded', options.onEnvoy ?? [], stateDir),
    '--state-dir',
    stateDir,
    '--api-port',
    String(apiPort),
    '--gateway-port',
    `${options.serverPort ?? 80}=${gatewayPort}`,
  ];
  const child = spawn(process.execPath, all, {
    cwd: repositoryRoot,
    env: { ...process.env, ...options.env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  child.stdout.on('data', (data: Buffer) => (output += data.toString()));
  child.stderr.on('data', (data: Buffer) => (output += data.toString()));

  const mesh: Mesh = {
    pid: child.pid!,
    apiPort,
    gatewayPort,
    stateDir,
    output: () => output,
    async saw(text, from = 0, timeoutMs = 60_000) {
      const deadline = performance.now() + timeoutMs;
      const there = (): boolean =>
        typeof text === 'string' ? output.slice(from).includes(text) : text.test(output.slice(from));
      while (!there()) {
        if (performance.now() > deadline) throw new Error(`no ${String(text)} after ${timeoutMs} ms in:\n${output}`);
        if (child.exitCode !== null)
          throw new Error(`mizzen up ended with status ${child.exitCode} before ${String(text)}:\n${output}`);
        await new Promise((done) => setTimeout(done, 20));
      }
    },
    get: (path, requestOptions) => send(gatewayPort, path, requestOptions),
    api: (path, requestOptions) => send(apiPort, path, requestOptions),
    mizzen: (...words) => mizzen([...words, '--state-dir', stateDir]),
    async stop() {
      const started = performance.now();
      const status = await ended(child, 'SIGINT');
      rmSync(stateDir, { recursive: true, force: true });
      return { status, milliseconds: performance.now() - started };
    },
    async kill(signal) {
      await ended(child, signal);
    },
  };
  if (options.ready !== false) await mesh.saw(/ready in [\d.]+ m?s/, 0, options.readyMs);
  return mesh;
}

/** One HTTP request to 127.0.0.1 on a connection of its own. */
export function send(
  port: number,
  path: string,
  { method = 'GET', headers = {}, body, host = '127.0.0.1' }: RequestOptions = {},
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const outgoing = request(
      { host, port, path, method, headers: { ...headers }, agent: false, timeout: 60_000 },
      (response) => {
        let text = '';
        response.setEncoding('utf8');
        response.on('data', (data: string) => (text += data));
        response.on('end', () => resolve({ status: response.statusCode!, headers: response.headers, body: text }));
        response.on('error', reject);
      },
    );
    outgoing.on('error', reject);
    outgoing.on('timeout', () => outgoing.destroy(new Error('no answer in 60 s')));
    outgoing.end(body);
  });
}

async function ended(child: ChildProcess, signal: NodeJS.Signals): Promise<number | null> {
  if (child.exitCode !== null || child.signalCode !== null) return child.exitCode;
  const exit = new Promise<number | null>((done) => child.once('exit', (status) => done(status)));
  child.kill(signal);
  return exit;
}
