import { setTimeout as sleep } from 'node:timers/promises';
import type { RequestsAnswer } from '@mizzen/runtime/api/types.ts';
import { ApiError, type ApiClient } from '@mizzen/runtime/supervisor/api-client.ts';
import { runningMesh } from '@mizzen/runtime/supervisor/lock.ts';
import { styler } from '@mizzen/runtime/terminal/style.ts';
import { type Command, type Invocation, list, text, UsageError } from '../command.ts';
import { client, findWorkload, meshFlags, talk } from '../running.ts';
import { isWanted, pathPattern, requestLine, type Wanted } from '../tap/line.ts';

const POLL_MS = 250;

export const command: Command = {
  name: 'tap',
  usage: 'WORKLOAD|POD',
  summary: 'Shows requests in and out of a workload as they end, one line each.',
  description:
    'Time, direction, who is at the other end, method, host and path, status and response flags, duration, and what\n' +
    '`mizzen traces` takes. It is read from the access log, which the mesh must have (MeshConfig accessLogFile, or a\n' +
    'Telemetry resource), in Istio’s own format, as text or JSON.',
  flags: {
    ...meshFlags,
    direction: { type: 'string', value: 'in|out', help: 'only what comes in, or goes out' },
    path: { type: 'string', value: 'PATH', help: 'only paths that begin so, or fit, with * for anything' },
    method: { type: 'string', multiple: true, value: 'METHOD', help: 'only this method; may repeat' },
    status: {
      type: 'string',
      multiple: true,
      value: 'STATUS',
      help: 'only this status, such as 503 or 5xx; may repeat',
    },
    tail: { type: 'string', value: 'NUMBER', help: 'begin with so many of the last ones (default 0)' },
    count: { type: 'string', value: 'NUMBER', help: 'end after so many' },
    output: { type: 'string', short: 'o', value: 'FORMAT', help: 'json: one object a line' },
  },
  examples: ['mizzen tap orders', 'mizzen tap storefront --direction out --status 5xx', 'mizzen tap orders -o json'],
  run(invocation) {
    const { positionals, values } = invocation;
    const [name] = positionals;
    if (name === undefined || positionals.length > 1) throw new UsageError('one workload or pod is needed');
    const format = text(values, 'output');
    if (format !== undefined && format !== 'json') throw new UsageError(`-o is \`json\`, not \`${format}\``);
    const wanted = wantedOf(values);
    const [tail = 0, count = Infinity] = [wholeOf(values, 'tail'), wholeOf(values, 'count')];
    return talk(invocation, async () => {
      const api = client(values);
      const { workload, pod } = await findWorkload(api, name, text(values, 'namespace'));
      const path = `/api/workloads/${encodeURIComponent(workload.namespace)}/${encodeURIComponent(workload.name)}/requests`;
      await follow(invocation, api, path, { wanted: { ...wanted, pod: pod?.name }, tail, count });
      return 0;
    });
  },
};

interface Following {
  readonly wanted: Wanted;
  readonly tail: number;
  readonly count: number;
}

/** Until the mesh ends, or enough was shown. */
async function follow(
  { out, err, color, values }: Invocation,
  api: ApiClient,
  path: string,
  { wanted, tail, count }: Following,
): Promise<void> {
  const json = text(values, 'output') === 'json';
  const style = styler(color);
  let [position, left, told] = [-1, count, false];
  for (;;) {
    const first = position < 0;
    const answer = await next(api, first ? path : `${path}?from=${position}`, first);
    if (answer === undefined) return;
    const { logging, unread, requests } = answer;
    if (first && !logging) {
      throw new ApiError(
        'no-access-log',
        'this mesh asks for no access log; `accessLogFile: /dev/stdout` of MeshConfig does',
      );
    }
    if (unread > 0 && !told) {
      err.write('mizzen: its access log has lines in another format than Istio’s own; those are passed over\n');
      told = true;
    }
    const fitting = requests.filter((each) => isWanted(each, wanted));
    const shown = first ? fitting.slice(Math.max(0, fitting.length - tail)) : fitting;
    for (const each of shown.slice(0, left)) {
      out.write(`${json ? JSON.stringify(each) : requestLine(each, style)}\n`);
      left--;
    }
    if (left <= 0) return;
    ({ position } = answer);
    await sleep(POLL_MS);
  }
}

/** Undefined: the mesh has ended. */
async function next(api: ApiClient, path: string, first: boolean): Promise<RequestsAnswer | undefined> {
  try {
    return await api.get<RequestsAnswer>(path);
  } catch (error) {
    if (!first && error instanceof ApiError && runningMesh(api.state) === undefined) return undefined;
    throw error;
  }
}

function wantedOf(values: Invocation['values']): Omit<Wanted, 'pod'> {
  const direction = text(values, 'direction');
  if (direction !== undefined && direction !== 'in' && direction !== 'out') {
    throw new UsageError(`--direction is \`in\` or \`out\`, not \`${direction}\``);
  }
  const statuses = list(values, 'status').map((each) => each.toLowerCase());
  const wrong = statuses.find((each) => !/^(\d{1,3}|[1-5]xx)$/.test(each));
  if (wrong !== undefined) throw new UsageError(`--status: \`${wrong}\` is none, such as 503 or 5xx`);
  const path = text(values, 'path');
  return {
    direction: direction === undefined ? undefined : direction === 'in' ? 'inbound' : 'outbound',
    path: path === undefined ? undefined : pathPattern(path),
    methods: list(values, 'method').map((each) => each.toUpperCase()),
    statuses,
  };
}

function wholeOf(values: Invocation['values'], name: string): number | undefined {
  const value = text(values, name);
  if (value === undefined) return undefined;
  if (!/^\d+$/.test(value)) throw new UsageError(`--${name}: \`${value}\` is not a number`);
  return Number(value);
}
