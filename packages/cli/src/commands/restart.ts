import { type Command, text, UsageError } from '../command.ts';
import { client, findWorkload, meshFlags, talk } from '../running.ts';

export const command: Command = {
  name: 'restart',
  usage: 'WORKLOAD|POD...',
  summary: 'Replaces the pods of a workload as an update would, or one pod.',
  description: 'New pods are ready before old ones end, as far as the strategy of the workload allows.',
  flags: meshFlags,
  examples: ['mizzen restart orders', 'mizzen restart catalog-v1-0'],
  run(invocation) {
    const { positionals, values, out } = invocation;
    if (positionals.length === 0) throw new UsageError('no workload given');
    return talk(invocation, async () => {
      const api = client(values);
      for (const name of positionals) {
        const { workload, pod } = await findWorkload(api, name, text(values, 'namespace'));
        const target = pod?.name ?? workload.name;
        await api.post(`/api/workloads/${workload.namespace}/${target}/restart`);
        out.write(`${target}.${workload.namespace} restarting\n`);
      }
      return 0;
    });
  },
};
