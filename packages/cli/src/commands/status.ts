import type { WorkloadsAnswer } from '@mizzen/runtime/api/types.ts';
import { styler } from '@mizzen/runtime/terminal/style.ts';
import { table } from '@mizzen/runtime/terminal/table.ts';
import { type Command, common, text, UsageError } from '../command.ts';
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
        const gateways = workloads.flatMap((w) => w.pods.flatMap((p) => Object.entries(p.gatewayPorts)));
        out.write(`${table(rows, width, styler(color)).join('\n')}\n`);
        for (const [port, address] of gateways) out.write(`gateway port ${port} is on ${address}\n`);
      }
      return ready ? 0 : 1;
    });
  },
};
