import type { TraceAnswer, TracesAnswer } from '@mizzen/runtime/api/types.ts';
import { ApiError, type ApiClient } from '@mizzen/runtime/supervisor/api-client.ts';
import { styler } from '@mizzen/runtime/terminal/style.ts';
import { type Command, common, flag, type Invocation, text, UsageError } from '../command.ts';
import { client, meshFlags, talk } from '../running.ts';
import { traceLines, tracesLines } from '../traces/render.ts';

export const command: Command = {
  name: 'traces',
  usage: '[ID]',
  summary: 'Lists the traces that a running mesh keeps, or shows one as a waterfall.',
  description:
    'ID is that of a trace, or the x-request-id of its request, as access logs have it. In a waterfall, █ is where the\n' +
    'whole trace was waiting for that very span. Spans arrive within a second of their requests, those of\n' +
    'Envoys within five.',
  flags: {
    ...meshFlags,
    service: { type: 'string', value: 'SERVICE', help: 'only traces with a span of it: APP.NAMESPACE, or APP' },
    'min-duration': { type: 'string', value: 'DURATION', help: 'only those that took this long, such as 50ms' },
    'max-duration': { type: 'string', value: 'DURATION', help: 'only those that took no longer' },
    error: { type: 'boolean', help: 'only those with an error: 5xx, or no answer; 4xx is none' },
    status: {
      type: 'string',
      value: 'STATUS',
      help: 'only those with a span of this status, such as 503, 5xx, or 4xx',
    },
    limit: { type: 'string', value: 'NUMBER', help: 'at most so many, the newest (default 20)' },
    tags: { type: 'boolean', help: 'with ID: every span with its tags' },
    output: common.output,
  },
  examples: [
    'mizzen traces --service catalog --min-duration 50ms',
    'mizzen traces --status 403',
    'mizzen traces 4bf92f3577b34da6a3ce929d0e0e4736',
  ],
  run(invocation) {
    const { positionals, values } = invocation;
    const [id] = positionals;
    if (positionals.length > 1) throw new UsageError('one trace is shown at a time');
    const stray = (id === undefined ? OF_ONE : OF_MANY).find((name) => values[name] !== undefined);
    if (stray !== undefined)
      throw new UsageError(
        `--${stray} is ${id === undefined ? 'of one trace, which ID names' : 'of the list of traces'}`,
      );
    const format = text(values, 'output');
    if (format !== undefined && format !== 'json' && format !== 'yaml') {
      throw new UsageError(`-o is \`json\` or \`yaml\`, not \`${format}\``);
    }
    return talk(invocation, async () => {
      const api = client(values);
      const answer =
        id === undefined
          ? await listed(api, await listPath(api, values))
          : await api.get<TraceAnswer>(`/api/traces/${encodeURIComponent(id)}`);
      await print(invocation, answer, format);
      return 0;
    });
  },
};

const OF_ONE = ['tags'];
const OF_MANY = ['service', 'namespace', 'min-duration', 'max-duration', 'error', 'status', 'limit'];

/** @throws UsageError naming the flag, where its value is none. */
async function listed(api: ApiClient, path: string): Promise<TracesAnswer> {
  try {
    return await api.get<TracesAnswer>(path);
  } catch (error) {
    if (!(error instanceof ApiError) || error.code !== 'invalid') throw error;
    const flagOf = (parameter: string): string => parameter.replaceAll(/[A-Z]/g, (c) => `-${c.toLowerCase()}`);
    throw new UsageError(error.message.replace(/^`(\w+)`/, (_, parameter: string) => `--${flagOf(parameter)}`));
  }
}

async function print(
  { out, values, color }: Invocation,
  answer: TraceAnswer | TracesAnswer,
  format: string | undefined,
): Promise<void> {
  if (format === 'json') return void out.write(`${JSON.stringify(answer, undefined, 2)}\n`);
  if (format === 'yaml') {
    const { dump } = await import('js-yaml');
    return void out.write(dump(answer, { noRefs: true, lineWidth: -1 }));
  }
  const width = 'columns' in out && typeof out.columns === 'number' ? out.columns : 140;
  const style = styler(color);
  const lines =
    'spans' in answer ? traceLines(answer, { width, style, tags: flag(values, 'tags') }) : tracesLines(answer, style);
  out.write(`${lines.join('\n')}\n`);
}

async function listPath(api: ApiClient, values: Invocation['values']): Promise<string> {
  const query = new URLSearchParams({ limit: text(values, 'limit') ?? '20' });
  const [min, max, status] = [text(values, 'min-duration'), text(values, 'max-duration'), text(values, 'status')];
  if (min !== undefined) query.set('minDuration', min);
  if (max !== undefined) query.set('maxDuration', max);
  if (status !== undefined) query.set('status', status);
  if (flag(values, 'error')) query.set('error', 'true');
  const [service, namespace] = [text(values, 'service'), text(values, 'namespace')];
  if (service !== undefined) query.set('service', await serviceOf(api, service, namespace));
  else if (namespace !== undefined) throw new UsageError('-n is the namespace of `--service`');
  return `/api/traces?${query.toString()}`;
}

/** `APP.NAMESPACE` of what a person named with or without its namespace. @throws ApiError */
async function serviceOf(api: ApiClient, name: string, namespace: string | undefined): Promise<string> {
  const { services } = await api.get<TracesAnswer>('/api/traces?limit=1');
  const wanted = namespace === undefined ? name : `${name}.${namespace}`;
  const found = services.includes(wanted) ? [wanted] : services.filter((each) => each.startsWith(`${wanted}.`));
  const list = (all: readonly string[]): string => all.map((each) => `\`${each}\``).join(', ');
  if (found.length > 1) throw new ApiError('ambiguous', `\`${name}\` could be ${list(found)}`);
  if (found[0] !== undefined) return found[0];
  const known = services.length === 0 ? 'there are none yet' : `there are spans of ${list(services)}`;
  throw new ApiError('not-found', `there are no spans of \`${wanted}\`; ${known}`);
}
