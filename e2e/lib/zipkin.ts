import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { freePort, repositoryRoot, requireTool } from '@mizzen/testkit';

/** A span as Zipkin gives it back. */
export interface ZipkinSpan {
  readonly traceId: string;
  readonly id: string;
  readonly parentId?: string;
  readonly kind?: string;
  readonly name?: string;
  readonly timestamp?: number;
  readonly duration?: number;
  readonly localEndpoint?: { readonly serviceName?: string };
  readonly tags?: Readonly<Record<string, string>>;
}

export interface Zipkin {
  readonly port: number;
  /** Empty: it has none of that trace. */
  trace(id: string): Promise<readonly ZipkinSpan[]>;
  /** Messages and spans that it took, and that it could not make sense of, by the names of its own metrics. */
  counts(): Promise<Readonly<Record<string, number>>>;
  stop(): void;
}

/** Zipkin's own server as a process, with its storage in memory. */
export async function startZipkin(): Promise<Zipkin> {
  const jar = join(repositoryRoot, '.tools/zipkin/zipkin-server-exec.jar');
  if (!existsSync(jar)) throw new Error('Zipkin is not there: npm run tools');
  const port = await freePort();
  const place = ['address=127.0.0.1', `port=${port}`, 'protocols[0]=http'].map((each) => `--armeria.ports[0].${each}`);
  const java = ['-Xmx192m', '-XX:TieredStopAtLevel=1', '-XX:+UseSerialGC', '-jar', jar];
  const child = spawn(requireTool('java', 'default-jre-headless'), [...java, ...place, '--zipkin.ui.enabled=false'], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (data: Buffer) => (said += data.toString()));
  const get = (path: string): Promise<Response> => fetch(`http://127.0.0.1:${port}${path}`);
  const deadline = performance.now() + 60_000;
  while (
    !(await get('/health').then(
      ({ ok }) => ok,
      () => false,
    ))
  ) {
    if (child.exitCode !== null || performance.now() > deadline) {
      child.kill('SIGKILL');
      throw new Error(`Zipkin does not come up: ${said}`);
    }
    await new Promise((done) => setTimeout(done, 100));
  }
  return {
    port,
    async trace(id) {
      const answer = await get(`/api/v2/trace/${id}`);
      return answer.ok ? ((await answer.json()) as ZipkinSpan[]) : [];
    },
    async counts() {
      const all = (await (await get('/metrics')).json()) as Record<string, number>;
      const names = ['messages', 'messages_dropped', 'spans', 'spans_dropped'];
      return Object.fromEntries(names.map((name) => [name, all[`counter.zipkin_collector.${name}.http`] ?? 0]));
    },
    stop: () => void child.kill('SIGKILL'),
  };
}
