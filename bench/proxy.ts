/**
 * CPU time per request of proxies, side by side in one run: nginx, HAProxy, Envoy and Mizzen on plain HTTP/1.1, and a
 * client and a server sidecar with mutual TLS and an authorization policy for Envoy and Mizzen. Both get the same file.
 * Arguments: seconds per load (4), rounds (3). Needs wrk, nginx, haproxy, openssl and Envoy.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { envoyBinary, freePort, repositoryRoot, requireTool } from '@mizzen/testkit';
import { makeCertificates } from './lib/certificates.ts';
import { authorization, bootstrap, clientTls, serverTls, type Hop } from './lib/configs.ts';
import { cpuSeconds, end, listening, median, nginxBackend, residentBytes, wrk } from './lib/measure.ts';

export interface Row {
  readonly name: string;
  readonly microseconds: number;
  readonly requestsPerSecond: number;
  readonly p50: string;
  readonly p99: string;
  readonly megabytes: number;
}

/** Runs the comparison; every figure is the median over the rounds. */
export async function compareProxies(seconds: number, rounds: number): Promise<Row[]> {
  for (const tool of ['wrk', 'nginx', 'haproxy', 'openssl']) requireTool(tool);
  const envoy = envoyBinary();
  const folder = mkdtempSync(join(tmpdir(), 'mizzen-bench-'));
  makeCertificates(folder);
  const children: ChildProcess[] = [];
  const start = (program: string, ...args: string[]): ChildProcess => {
    const child = spawn(program, args, { cwd: folder, stdio: ['ignore', 'ignore', 'inherit'] });
    children.push(child);
    return child;
  };
  let baseId = 500 + (process.pid % 1000) * 10;
  const config = (file: string, hop: Hop): string => {
    const path = join(folder, file);
    writeFileSync(path, JSON.stringify(bootstrap(hop)));
    return path;
  };
  const runEnvoy = (path: string): ChildProcess =>
    start(envoy, '-c', path, '--concurrency', '1', '--base-id', String(baseId++), '-l', 'error');
  const runMizzen = (path: string): ChildProcess =>
    start(process.execPath, join(repositoryRoot, 'packages/proxy/src/process/standalone.ts'), '-c', path);

  try {
    const backend = await freePort();
    writeFileSync(join(folder, 'backend.conf'), nginxBackend(folder, backend));
    start('nginx', '-p', folder, '-c', join(folder, 'backend.conf'));
    const nginxPort = await freePort();
    writeFileSync(join(folder, 'nginx.conf'), nginxProxy(folder, nginxPort, backend));
    const nginx = start('nginx', '-p', folder, '-c', join(folder, 'nginx.conf'));
    const haproxyPort = await freePort();
    writeFileSync(join(folder, 'haproxy.cfg'), haproxyConfig(haproxyPort, backend));
    const haproxy = start('haproxy', '-f', join(folder, 'haproxy.cfg'), '-db');

    const subjects: { name: string; port: number; pids: () => number[] }[] = [
      { name: 'nginx', port: nginxPort, pids: () => [nginx.pid!, ...childrenOf(nginx.pid!)] },
      { name: 'haproxy', port: haproxyPort, pids: () => [haproxy.pid!] },
    ];
    for (const [name, run] of [
      ['envoy', runEnvoy],
      ['mizzen', runMizzen],
    ] as const) {
      const plain = await freePort();
      const one = run(
        config(`${name}-plain.json`, {
          name: 'plain',
          listen: plain,
          upstream: backend,
          accessLog: join(folder, `${name}-plain.log`),
        }),
      );
      const clientPort = await freePort();
      const serverPort = await freePort();
      const server = run(
        config(`${name}-server.json`, {
          name: 'server',
          listen: serverPort,
          upstream: backend,
          accessLog: join(folder, `${name}-server.log`),
          downstreamTls: serverTls(folder),
          filters: [authorization],
          forwardClientCert: true,
        }),
      );
      const client = run(
        config(`${name}-client.json`, {
          name: 'client',
          listen: clientPort,
          upstream: serverPort,
          accessLog: join(folder, `${name}-client.log`),
          upstreamTls: clientTls(folder),
        }),
      );
      subjects.push({ name: `${name}, plain`, port: plain, pids: () => [one.pid!] });
      subjects.push({
        name: `${name}, mTLS pair with policy`,
        port: clientPort,
        pids: () => [client.pid!, server.pid!],
      });
      await Promise.all([listening(plain), listening(clientPort), listening(serverPort)]);
    }
    await Promise.all([listening(nginxPort), listening(haproxyPort)]);

    const samples = new Map<string, { us: number[]; rps: number[]; p50: string; p99: string; mb: number }>();
    for (let round = 0; round < rounds; round++) {
      for (const { name, port, pids } of subjects) {
        const url = `http://127.0.0.1:${port}/products/123`;
        // Just-in-time compilers want some seconds of the same work first; it is not what is measured.
        await wrk(url, { seconds: round === 0 ? 4 : 1 });
        const before = cpuSeconds(pids());
        const load = await wrk(url, { seconds });
        const used = cpuSeconds(pids()) - before;
        if (load.failed > 0 || load.requests === 0)
          throw new Error(`${name}: ${load.failed} of ${load.requests} requests failed`);
        const sample = samples.get(name) ?? { us: [], rps: [], p50: '', p99: '', mb: 0 };
        sample.us.push((used / load.requests) * 1e6);
        sample.rps.push(load.requests / seconds);
        samples.set(name, { ...sample, p50: load.p50, p99: load.p99, mb: residentBytes(pids()) / 2 ** 20 });
      }
    }
    return [...samples].map(([name, { us, rps, p50, p99, mb }]) => ({
      name,
      microseconds: median(us),
      requestsPerSecond: median(rps),
      p50,
      p99,
      megabytes: mb,
    }));
  } finally {
    await Promise.all(children.map(end));
    rmSync(folder, { recursive: true, force: true });
  }
}

function childrenOf(pid: number): number[] {
  return readFileSync(`/proc/${pid}/task/${pid}/children`, 'latin1').trim().split(' ').filter(Boolean).map(Number);
}

function nginxProxy(folder: string, port: number, backend: number): string {
  return `worker_processes 1; daemon off; error_log ${folder}/nginx.err; pid ${folder}/nginx.pid;
events { worker_connections 4096; }
http { access_log ${folder}/nginx.log combined buffer=64k; keepalive_requests 100000000;
  upstream backend { server 127.0.0.1:${backend}; keepalive 256; keepalive_requests 100000000; }
  server { listen 127.0.0.1:${port}; location / { proxy_http_version 1.1; proxy_set_header Connection ""; proxy_pass http://backend; } } }\n`;
}
function haproxyConfig(port: number, backend: number): string {
  return `global
  nbthread 1
  maxconn 4096
defaults
  mode http
  timeout connect 5s
  timeout client 30s
  timeout server 30s
  http-reuse always
frontend f
  bind 127.0.0.1:${port}
  default_backend b
backend b
  server s 127.0.0.1:${backend}\n`;
}

export function table(rows: readonly Row[]): string {
  const envoyOf = (name: string): number | undefined =>
    rows.find((row) => row.name === name.replace('mizzen', 'envoy'))?.microseconds;
  const lines = rows.map((row) => {
    const envoy = row.name.startsWith('mizzen') ? envoyOf(row.name) : undefined;
    const ratio = envoy === undefined ? '' : (row.microseconds / envoy).toFixed(2);
    return `| ${row.name} | ${row.microseconds.toFixed(1)} | ${ratio} | ${Math.round(row.requestsPerSecond)} | ${row.p50} | ${row.p99} | ${Math.round(row.megabytes)} |`;
  });
  return [
    '| proxy | CPU µs/request | × Envoy | requests/s | p50 | p99 | MB |',
    '|---|---|---|---|---|---|---|',
    ...lines,
  ].join('\n');
}

if (import.meta.main) {
  const [seconds = '4', rounds = '3'] = process.argv.slice(2);
  process.stdout.write(`${table(await compareProxies(Number(seconds), Number(rounds)))}\n`);
}
