import type { TopAnswer } from '@mizzen/runtime/api/types.ts';
import { styler } from '@mizzen/runtime/terminal/style.ts';
import { type Command, common, flag, text, UsageError } from '../command.ts';
import { client, meshFlags, talk } from '../running.ts';
import { liveTop } from '../top/live.ts';
import { ofNamespace, SERVICE_SORTS, SORTS, topLines, type What } from '../top/render.ts';

export const command: Command = {
  name: 'top',
  usage: '[workloads|services]',
  summary:
    'Shows what workloads, or services, of a running mesh do now: requests, errors, latencies and what they use.',
  description:
    'Drawn again every two seconds, until `q`. Traffic is what comes in; of a gateway, what it passes on. Keys sort: n name,\n' +
    'r rate, e errors, 4 client errors (4xx), 5 p50, 9 p99, c processor, m memory, x restarts; tab changes between workloads and services. Where\n' +
    'the output is no terminal it is printed once.',
  flags: {
    ...meshFlags,
    sort: { type: 'string', value: 'KEY', help: `${SORTS.join(', ')} (default rate)` },
    window: { type: 'string', value: 'SECONDS', help: 'what rates and latencies are of: 5 to 300 (default 30)' },
    once: { type: 'boolean', help: 'print it once' },
    output: { ...common.output, help: 'json or yaml, once' },
  },
  examples: ['mizzen top', 'mizzen top services --sort p99 --once', "mizzen top -o json | jq '.workloads[0]'"],
  run(invocation) {
    const { positionals, values, out, color } = invocation;
    const [what = 'workloads', more] = positionals;
    if (more !== undefined || !isWhat(what)) throw new UsageError('`workloads` or `services` are shown');
    const format = text(values, 'output');
    if (format !== undefined && format !== 'json' && format !== 'yaml') {
      throw new UsageError(`-o is \`json\` or \`yaml\`, not \`${format}\``);
    }
    const sorts = what === 'services' ? SERVICE_SORTS : SORTS;
    const wanted = text(values, 'sort') ?? 'rate';
    const sort = sorts.find((each) => each === wanted);
    if (sort === undefined) throw new UsageError(`--sort: \`${wanted}\` is none of ${sorts.join(', ')}`);
    if (format !== undefined && values['sort'] !== undefined) throw new UsageError('--sort is of the table');
    const window = text(values, 'window') ?? '30';
    if (!/^\d+$/.test(window) || Number(window) < 5 || Number(window) > 300) {
      throw new UsageError(`--window: \`${window}\` is not a number of seconds from 5 to 300`);
    }
    const shown = { what, sort, namespace: text(values, 'namespace') };
    return talk(invocation, async () => {
      const api = client(values);
      const ask = (): Promise<TopAnswer> => api.get<TopAnswer>(`/api/top?window=${window}`);
      const style = styler(color);
      const terminal = out as Partial<NodeJS.WriteStream>;
      if (format === undefined && !flag(values, 'once') && terminal.isTTY === true) {
        await liveTop({ out: out as NodeJS.WriteStream, input: process.stdin, style, shown, ask });
        return 0;
      }
      const answer = ofNamespace(await ask(), shown.namespace);
      if (format === 'json') out.write(`${JSON.stringify(answer, undefined, 2)}\n`);
      else if (format === 'yaml') {
        const { dump } = await import('js-yaml');
        out.write(dump(answer, { noRefs: true, lineWidth: -1 }));
      } else out.write(`${topLines(answer, shown, style, terminal.columns).join('\n')}\n`);
      return 0;
    });
  },
};

function isWhat(word: string): word is What {
  return word === 'workloads' || word === 'services';
}
