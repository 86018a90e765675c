import manifest from '../../package.json' with { type: 'json' };
import { type Command, common, type Invocation, IstioctlError, text } from '../command.ts';
import { inIstioctlWords } from '../proxy-config/failures.ts';
import { REFUSED } from '../proxy-config/refused.ts';
import { Dump } from '../proxy-config/read-dump.ts';
import { serverOf } from '../proxy-config/server.ts';
import { readText } from '../proxy-config/source.ts';
import { differencesText, refusalsText, statusTable } from '../proxy-config/status.ts';

const stream = { reason: 'the API of the control plane is asked over HTTP; --api says where it is' };
const control = { id: 'mizzen', version: manifest.version };

export const command: Command = {
  name: 'proxy-status',
  usage: '[WORKLOAD[.NAMESPACE]]',
  summary: 'Prints what each proxy follows and, of one, whether it has all that it was sent.',
  description:
    'Below the table stands what proxies refused, why, and the line of YAML it came from. With a workload and --file, ' +
    'the configuration dump of an Envoy is compared with what its control plane sends.',
  flags: {
    output: { type: 'string', short: 'o', value: 'FORMAT', help: 'json, yaml or table (default table)' },
    verbosity: { type: 'string', short: 'v', integer: true, value: 'LEVEL', help: '1: a column for each type' },
    file: { type: 'string', value: 'FILE|-', help: 'with a workload: a configuration dump of its Envoy, to compare' },
    namespace: common.namespace,
    'state-dir': common['state-dir'],
    name: common.name,
    api: {
      type: 'string',
      value: 'HOST:PORT',
      help: 'the API of a running mesh or control plane, when it is elsewhere',
    },
  },
  istioctl: {
    refused: {
      ...REFUSED,
      authority: stream,
      'cert-dir': stream,
      insecure: { ...stream, switch: true },
      plaintext: { ...stream, switch: true },
      timeout: { reason: 'an answer is waited for ten seconds' },
      revision: { reason: 'there is one control plane', short: 'r' },
      'xds-address': stream,
      'xds-label': stream,
      'xds-port': stream,
    },
  },
  examples: ['mizzen proxy-status', 'mizzen ps orders', 'mizzen ps orders --file config_dump.json'],
  run: (invocation) => inIstioctlWords(() => run(invocation)),
};

async function run({ positionals, values, out }: Invocation): Promise<number> {
  const format = text(values, 'output') ?? 'table';
  if (format !== 'table' && format !== 'json' && format !== 'yaml') {
    throw new IstioctlError(`output format "${format}" not supported`);
  }
  const [workload, ...more] = positionals;
  const [file, namespace] = [text(values, 'file'), text(values, 'namespace')];
  if (more.length > 0) throw new IstioctlError('proxy-status takes one workload');
  if (file !== undefined && workload === undefined) throw new IstioctlError('--file: whose? name its workload');
  if (file !== undefined && format !== 'table') throw new IstioctlError('--file: a comparison has no -o');
  if (text(values, 'verbosity') !== undefined && (workload !== undefined || format !== 'table')) {
    throw new IstioctlError('--verbosity: it is about the table of all proxies');
  }
  const server = serverOf(values);
  if (workload !== undefined && file !== undefined) {
    const { comparison } = await import('../proxy-config/compare.ts');
    const sent = Dump.of(await server.configDump(workload, namespace));
    for (const chunk of comparison(sent, Dump.parse(readText(file)))) out.write(chunk);
    return 0;
  }
  const all = workload === undefined ? await server.syncz() : [await server.syncOf(workload, namespace)];
  const shown = all.filter(
    ({ proxy }) => workload !== undefined || namespace === undefined || proxy.endsWith(`.${namespace}`),
  );
  if (format === 'json') out.write(`${JSON.stringify(shown, undefined, 2)}\n`);
  else if (format === 'yaml') {
    const { dump } = await import('js-yaml');
    out.write(dump(shown, { noRefs: true, lineWidth: -1 }));
  } else if (workload === undefined) {
    out.write(statusTable(shown, control, Number(text(values, 'verbosity') ?? '0') > 0));
    out.write(refusalsText(shown));
  } else {
    for (const chunk of differencesText(shown[0]!)) out.write(chunk);
    out.write(refusalsText(shown));
  }
  return 0;
}
