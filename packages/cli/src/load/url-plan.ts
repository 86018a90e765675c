import { resolve } from 'node:path';
import { DEFAULT_TIMEOUT_MS, milliseconds, type Plan, type Protocol, template } from '@mizzen/load';
import { type Invocation, list, text, UsageError } from '../command.ts';
import { readGiven } from './given-file.ts';

const PROTOCOLS: readonly Protocol[] = ['http1', 'http2', 'grpc'];

/** A plan of one scenario with one step: the URL. */
export function planOfUrl(given: string, values: Invocation['values']): Plan {
  const url = URL.parse(given.includes('://') ? given : `http://${given}`);
  if (url === null || !/^https?:$/.test(url.protocol)) throw new UsageError(`\`${given}\` is not an HTTP URL`);
  const protocol = PROTOCOLS.find((each) => each === (text(values, 'protocol') ?? 'http1'));
  if (protocol === undefined)
    throw new UsageError(`-p: \`${text(values, 'protocol')}\` is none of ${PROTOCOLS.join(', ')}`);
  const grpc = protocol === 'grpc';
  if (grpc && text(values, 'request') !== undefined) throw new UsageError('-X: calls of gRPC are all POST');
  if (!grpc && values['proto'] !== undefined) throw new UsageError('--proto is of gRPC', 'add `-p grpc`');
  const call = url.pathname.slice(1);
  if (grpc && !/^[\w.]+\/\w+$/.test(call)) {
    throw new UsageError(`\`${given}\` does not name a method`, 'such as http://127.0.0.1:9090/greet.Greeter/Hello');
  }
  const data = text(values, 'data');
  const body = data?.startsWith('@') === true ? readGiven(data.slice(1)) : data;
  const method = text(values, 'request') ?? (body === undefined ? 'GET' : 'POST');
  if (!/^[A-Z]+$/.test(method) || method === 'CONNECT') throw new UsageError(`-X: \`${method}\` cannot be used here`);
  const name = grpc ? call : `${method} ${url.pathname}`;
  const timeout = text(values, 'timeout');
  const timeoutMs = timeout === undefined ? DEFAULT_TIMEOUT_MS : milliseconds(timeout);
  if (timeoutMs === undefined || timeoutMs === 0) throw new UsageError(`--timeout: \`${timeout}\` is not a duration`);
  return {
    target: url.origin,
    mode: undefined,
    rate: undefined,
    peak: undefined,
    seconds: undefined,
    arrival: undefined,
    concurrency: undefined,
    connections: undefined,
    thresholds: [],
    grpc: { protos: list(values, 'proto').map((each) => resolve(each)), include: [] },
    scenarios: [
      {
        name,
        weight: 1,
        protocol,
        target: undefined,
        variables: new Map(),
        steps: [
          {
            name,
            method,
            url: literal(grpc ? call : `${url.pathname}${url.search}`),
            headers: headersOf(values, body !== undefined && !grpc),
            body: bodyOf(body, grpc),
            capture: [],
            expect: { status: [], headers: [], contains: [], matches: [], json: [], latencyMs: undefined },
            think: undefined,
            timeoutMs,
            redirects: 0,
          },
        ],
      },
    ],
  };
}

type Step = Plan['scenarios'][number]['steps'][number];

/** A command line has no variables. */
function literal(written: string): Step['url'] {
  return template(written.replaceAll('${', '$${'));
}

function bodyOf(body: string | undefined, grpc: boolean): Step['body'] {
  if (!grpc) return body === undefined ? undefined : { kind: 'text', text: literal(body) };
  try {
    return { kind: 'json', value: JSON.parse(body ?? '{}') as unknown };
  } catch (error) {
    throw new UsageError(`--data: ${(error as Error).message}`);
  }
}

function headersOf(values: Invocation['values'], hasBody: boolean): Step['headers'] {
  const headers = list(values, 'header').map((line) => {
    const [, name, value] = /^([^:\s]+):\s*(.*)$/.exec(line) ?? [];
    if (name === undefined) throw new UsageError(`\`${line}\` is not NAME: VALUE`);
    return [name.toLowerCase(), literal(value ?? '')] as const;
  });
  const typed = headers.some(([name]) => name === 'content-type');
  return hasBody && !typed ? [...headers, ['content-type', literal('application/x-www-form-urlencoded')]] : headers;
}
