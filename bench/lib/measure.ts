import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { readFileSync } from 'node:fs';

const TICKS_PER_SECOND = Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }));

/** CPU time of processes so far (user and system), in seconds. Linux. */
export function cpuSeconds(pids: readonly number[]): number {
  let total = 0;
  for (const pid of pids) {
    const fields = readFileSync(`/proc/${pid}/stat`, 'latin1').split(') ')[1]!.split(' ');
    total += (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
  }
  return total;
}

/** Resident memory of processes, in bytes. Shared pages count for each. Linux. */
export function residentBytes(pids: readonly number[]): number {
  return pids.reduce(
    (sum, pid) => sum + Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))![1]) * 1024,
    0,
  );
}

/** Proportional memory (shared pages divided among those who share them), in bytes. Linux. */
export function proportionalBytes(pids: readonly number[]): number {
  return pids.reduce(
    (sum, pid) => sum + Number(/^Pss:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'latin1'))![1]) * 1024,
    0,
  );
}

export interface Load {
  readonly requests: number;
  readonly failed: number;
  readonly seconds: number;
  readonly p50: string;
  readonly p99: string;
}

/** Runs wrk against a loopback URL for a bounded time. */
export function wrk(url: string, { connections = 32, seconds = 4 } = {}): Promise<Load> {
  return new Promise((resolve, reject) => {
    const child = spawn('wrk', ['-t1', `-c${connections}`, `-d${seconds}s`, '--latency', url], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let text = '';
    child.stdout.on('data', (data: Buffer) => (text += data.toString()));
    child.on('error', reject);
    child.on('exit', () => {
      const requests = Number(/(\d+) requests in/.exec(text)?.[1] ?? 0);
      const bad = Number(/Non-2xx or 3xx responses: (\d+)/.exec(text)?.[1] ?? 0);
      const errors =
        /Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)/
          .exec(text)
          ?.slice(1)
          .reduce((sum, n) => sum + Number(n), 0) ?? 0;
      const percentile = (p: number): string => new RegExp(`^\\s+${p}%\\s+(\\S+)`, 'm').exec(text)?.[1] ?? '?';
      resolve({ requests, failed: bad + errors, seconds, p50: percentile(50), p99: percentile(99) });
    });
  });
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/** Ends a process this program started and waits until it is gone. */
export async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = new Promise<void>((done) => child.once('exit', () => done()));
  child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), 3000);
  await gone;
  clearTimeout(timer);
}

/** Waits until something accepts connections on a port of 127.0.0.1. */
export async function listening(port: number, timeoutMs = 15_000): Promise<void> {
  const { connect } = await import('node:net');
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    const open = await new Promise<boolean>((done) => {
      const socket = connect(port, '127.0.0.1', () => {
        socket.destroy();
        done(true);
      });
      socket.on('error', () => done(false));
    });
    if (open) return;
    if (performance.now() > deadline) throw new Error(`nothing listens on 127.0.0.1:${port}`);
    await new Promise((done) => setTimeout(done, 30));
  }
}

const BODY =
  '{"product_id":"123","name":"Example Product","description":"A sample product description.","price":29.99}';

/** Configuration of an nginx that answers everything with a small body. */
export function nginxBackend(folder: string, port: number): string {
  return `worker_processes 1; daemon off; error_log ${folder}/backend.err; pid ${folder}/backend.pid;
events { worker_connections 4096; }
http { access_log off; keepalive_requests 100000000; default_type application/json;
  server { listen 127.0.0.1:${port}; location / { return 200 '${BODY}'; } } }\n`;
}
