import { execFileSync } from 'node:child_process';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';

/** A span as other people's implementations read it. */
export interface ReadSpan {
  readonly service: string;
  readonly traceId: string;
  readonly id: string;
  readonly parent: string;
  readonly name: string;
  readonly kind: string;
  readonly microseconds: number;
  readonly tags: Readonly<Record<string, string>>;
}

export interface Report {
  readonly path: string;
  readonly body: Buffer;
}

/** What reports hold, by Zipkin's and OpenTelemetry's own Go modules. Throws with what they have against one. */
export function readReports(format: 'zipkin' | 'otlp', reports: readonly Report[]): ReadSpan[] {
  const input = reports.map(({ body }) => `${format} ${body.toString('base64')}\n`).join('');
  const cwd = join(import.meta.dirname, 'trace-reader');
  const output = execFileSync('go', ['run', '.'], { cwd, input, encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 });
  return output
    .trimEnd()
    .split('\n')
    .flatMap((line) => JSON.parse(line) as ReadSpan[]);
}

export interface Backend {
  readonly port: number;
  readonly reports: readonly Report[];
  close(): void;
}

/** Takes whatever is posted and keeps it as it came. */
export async function startBackend(): Promise<Backend> {
  const reports: Report[] = [];
  const server = createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('end', () => {
      reports.push({ path: request.url ?? '', body: Buffer.concat(parts) });
      response.writeHead(200).end();
    });
  });
  await new Promise<void>((done) => {
    server.listen(0, '127.0.0.1', done);
  });
  return {
    port: (server.address() as AddressInfo).port,
    reports,
    close() {
      server.closeAllConnections();
      server.close();
    },
  };
}
