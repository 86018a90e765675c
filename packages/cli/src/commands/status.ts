import type { ConfigStatusAnswer, WorkloadsAnswer } from '@mizzen/runtime/api/types.ts';
import { styler } from '@mizzen/runtime/terminal/style.ts';
import { table } from '@mizzen/runtime/terminal/table.ts';
import { type Command, common, text, UsageError } from '../command.ts';
import { gatewayLines } from '../gateway-lines.ts';
import { client, meshFlags, talk } from '../running.ts';

export const command: Command = {
  name: 'status',
  usage: '',
  summary: 'Prints what runs, and how it is. Status 0 when everything is ready.',
  flags: { ...meshFlags, output: common.output },
  run(invocation) {
    const { values, out, color } = invocation;
    const format = text(values, 'output');
    if (format !== undefined && format !== 'json' && format !== 'yaml') {
      throw new UsageError(`-o is \`json\` or \`yaml\`, not \`${format}\``);
    }
    return talk(invocation, async () => {
      const api = client(values);
      const namespace = text(values, 'namespace');
      const answer = await api.get<WorkloadsAnswer>('/api/workloads');
      const workloads = answer.workloads.filter((w) => namespace === undefined || w.namespace === namespace);
      const ready = workloads.every((w) => w.ready >= w.replicas);
      if (format === 'json') out.write(`${JSON.stringify({ workloads }, undefined, 2)}\n`);
      else if (format === 'yaml') {
        const { dump } = await import('js-yaml');
        out.write(dump({ workloads }, { noRefs: true, lineWidth: -1 }));
      } else {
        const rows = workloads.map((w) => ({
          ...w,
          engine: w.engine || undefined,
          owner: { kind: w.kind, namespace: w.namespace, name: w.name },
        }));
        const width = 'columns' in out && typeof out.columns === 'number' ? out.columns : 1_000;
        out.write(`${table(rows, width, styler(color)).join('\n')}\n`);
        for (const line of gatewayLines(rows)) out.write(`${line}\n`);
        for (const line of refusals(await api.get<ConfigStatusAnswer>('/api/config/status'))) out.write(`${line}\n`);
      }
      return ready ? 0 : 1;
    });
  },
};

/** What is not in force as it is written. */
function refusals({ diagnostics }: ConfigStatusAnswer): string[] {
  return diagnostics
    .filter(({ severity }) => severity === 'error')
    .map(({ file, line, code, message }) => `${file}:${line} is not in force: ${code} ${message}`);
}
