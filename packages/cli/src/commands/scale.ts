import { type Command, text, UsageError } from '../command.ts';
import { client, findWorkload, meshFlags, talk } from '../running.ts';

export const command: Command = {
  name: 'scale',
  usage: 'WORKLOAD=REPLICAS...',
  summary: 'Changes the number of replicas of a running workload.',
  description: 'The number holds until the files say another one than they do now.',
  flags: meshFlags,
  examples: ['mizzen scale catalog-v1=3'],
  run(invocation) {
    const { positionals, values, out } = invocation;
    if (positionals.length === 0) throw new UsageError('no workload given');
    const wanted = positionals.map(parse);
    return talk(invocation, async () => {
      const api = client(values);
      for (const { name, replicas } of wanted) {
        const { workload } = await findWorkload(api, name, text(values, 'namespace'));
        await api.post(`/api/workloads/${workload.namespace}/${workload.name}/scale`, { replicas });
        out.write(`${workload.name}.${workload.namespace} scaled to ${replicas}\n`);
      }
      return 0;
    });
  },
};

function parse(argument: string): { name: string; replicas: number } {
  const [, name, digits] = /^([^=]+)=(\d+)$/.exec(argument) ?? [];
  if (name === undefined || digits === undefined) throw new UsageError(`\`${argument}\` is not WORKLOAD=REPLICAS`);
  return { name, replicas: Number(digits) };
}
