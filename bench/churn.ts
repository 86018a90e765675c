/**
 * Requests through two sidecars with mutual TLS while everything around them changes: one of two replicas is restarted
 * every second (every tenth time it is killed instead), the mesh files change every 200 ms, and the control process is
 * killed once a quarter of the way through. Prints how many requests failed. Arguments: requests (100000), connections (16).
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fromWorkload } from '../e2e/lib/from-workload.ts';
import { up } from '../e2e/lib/mesh.ts';
import { descendants } from '../e2e/lib/processes.ts';
import { service } from '../e2e/lib/system.ts';

export interface ChurnResult {
  readonly requests: number;
  readonly failures: ReadonlyMap<string, number>;
  readonly seconds: number;
  readonly restarts: number;
  readonly kills: number;
  readonly edits: number;
}

/** An application that kills leave as a process of its own: stand-ins share one. */
const APPLICATION = `import { createServer } from 'node:http';
const server = createServer((request, response) => response.end('{"version":"v1"}'));
server.keepAliveTimeout = 5000;
server.listen(Number(process.env.PORT), '127.0.0.1');
process.on('SIGTERM', () => { server.close(() => process.exit(0)); server.closeIdleConnections(); });
`;

const mtls = `apiVersion: security.istio.io/v1
kind: PeerAuthentication
metadata: { name: default, namespace: istio-system }
spec: { mtls: { mode: STRICT } }
`;

/** The store's retry policy (examples/store/mesh/catalog.yaml); \`n\` makes each edit a different one. */
function routes(n: number): string {
  return `apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: web }
spec:
  hosts: [web]
  http:
    - match: [{ headers: { x-edit: { exact: '${n}' } } }]
      route: [{ destination: { host: web } }]
    - route: [{ destination: { host: web } }]
      retries:
        attempts: 3
        perTryTimeout: 1s
        retryOn: connect-failure,refused-stream,reset-before-request,unavailable,cancelled,retriable-status-codes,reset,503
`;
}

export async function churn(requests: number, connections: number, log: (line: string) => void): Promise<ChurnResult> {
  const folder = mkdtempSync(join(tmpdir(), 'mizzen-churn-'));
  writeFileSync(join(folder, 'web.mjs'), APPLICATION);
  const web = service('web', ['v1'], 2).replace(
    /(labels: \{ app: web, version: v1 \}) \}\n {4}spec/,
    '$1, annotations: { mizzen.dev/run: node web.mjs, mizzen.dev/dir: . } }\n    spec',
  );
  writeFileSync(join(folder, 'all.yaml'), `${service('client')}---\n${web}---\n${mtls}`);
  writeFileSync(join(folder, 'routes.yaml'), routes(0));
  const mesh = await up([folder]);
  const failures = new Map<string, number>();
  let [sent, edits, restarts, kills, turn] = [0, 0, 0, 0, 0];
  let running = true;
  const started = performance.now();
  const pause = (ms: number): Promise<void> => new Promise((done) => setTimeout(done, ms));
  try {
    const sender = await fromWorkload(mesh, 'default', 'client-v1', connections);
    const work = async (): Promise<void> => {
      while (sent < requests) {
        sent++;
        const outcome = await sender.get('http://web:8080/').then(
          ({ status, body }) => (status === 200 ? undefined : `${status} ${body}`),
          (error: unknown) => String(error),
        );
        if (outcome !== undefined) failures.set(outcome, (failures.get(outcome) ?? 0) + 1);
      }
    };
    const edit = async (): Promise<void> => {
      for (; running; await pause(200)) writeFileSync(join(folder, 'routes.yaml'), routes(++edits));
    };
    const restart = async (): Promise<void> => {
      for (; running; await pause(1000)) {
        if (++turn % 10 === 0) {
          const victim = descendants(mesh.pid).find(
            ({ command }) => command.includes('web.mjs') && !command.startsWith('sh') && !command.startsWith('/bin/sh'),
          );
          if (victim === undefined) continue;
          process.kill(victim.pid, 'SIGKILL');
          kills++;
        } else {
          const result = await mesh.mizzen('restart', 'web-v1');
          if (result.status === 0) restarts++;
          else log(`restart: ${result.stderr}`);
        }
      }
    };
    const crash = async (): Promise<void> => {
      while (running && sent < requests / 4) await pause(50);
      const control = descendants(mesh.pid).find(({ command }) => command.includes('control/main.ts'));
      if (control !== undefined) process.kill(control.pid, 'SIGKILL');
    };
    const around = [edit(), restart(), crash()];
    await Promise.all(Array.from({ length: connections }, work));
    running = false;
    await Promise.all(around);
    return { requests: sent, failures, seconds: (performance.now() - started) / 1000, restarts, kills, edits };
  } finally {
    running = false;
    await mesh.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

if (import.meta.main) {
  const [requests = '100000', connections = '16'] = process.argv.slice(2);
  const result = await churn(Number(requests), Number(connections), (line) => process.stderr.write(`${line}\n`));
  const failed = [...result.failures.values()].reduce((sum, n) => sum + n, 0);
  process.stdout.write(
    `${result.requests} requests in ${result.seconds.toFixed(1)} s, ${failed} failed; ${result.restarts} restarts, ${result.kills} kills, ${result.edits} edits, control process killed once\n`,
  );
  for (const [outcome, count] of result.failures) process.stdout.write(`${count} × ${outcome}\n`);
  process.exitCode = failed === 0 ? 0 : 1;
}
