import { withSpan } from '@mizzen/api';
import { renderDiagnostic } from '@mizzen/diagnostics';
import { buildModel, modelProblems } from '@mizzen/model';
import { AS_ISTIOD, readFiles } from '@mizzen/sources';
import { translate } from '@mizzen/translator';
import { type Command, common, list, text, UsageError } from '../command.ts';
import { diagnosticsOf } from '../diagnostics.ts';
import { checkNamed } from '../named-files.ts';
import { readNode } from '../read-node.ts';

export const command: Command = {
  name: 'x xds',
  usage: '--config FILE|DIR [--mesh-config FILE] --node FILE...',
  summary: 'Prints all that a proxy with a given Envoy node would be sent.',
  description:
    'A node is what an xDS request says of its proxy: `{"id": …, "metadata": …}` in JSON. Resources are in ' +
    "Envoy's JSON, sorted by name. With several nodes the output is a list.",
  flags: {
    config: common.config,
    'mesh-config': common['mesh-config'],
    node: { type: 'string', multiple: true, value: 'FILE|-', help: 'the Envoy node of the proxy; may repeat' },
    namespace: { ...common.namespace, help: 'namespace of resources that name none' },
    output: { ...common.output, help: 'json (the default) or yaml' },
  },
  examples: ['mizzen x xds --config mesh/ --node node.json -o json'],
  async run({ positionals, values, out, err, color }) {
    const paths = [...list(values, 'config'), ...positionals];
    const nodes = list(values, 'node');
    if (paths.length === 0) throw new UsageError('no configuration given', 'name files or directories with --config');
    if (nodes.length === 0) throw new UsageError('which proxy? give its node with --node FILE');
    const format = text(values, 'output') ?? 'json';
    if (format !== 'json' && format !== 'yaml') throw new UsageError(`-o is \`json\` or \`yaml\`, not \`${format}\``);
    checkNamed(paths, text(values, 'mesh-config'));
    const described = nodes.map(readNode);
    const result = await readFiles(paths, {
      meshConfig: text(values, 'mesh-config'),
      namespace: text(values, 'namespace'),
      engine: 'envoy',
      ...AS_ISTIOD,
    });
    for (const diagnostic of await diagnosticsOf(result)) {
      err.write(`${renderDiagnostic(diagnostic, { source: (file) => result.text(file), color })}\n`);
    }
    if (result.changed.added.length === 0 && result.diagnostics.some(({ severity }) => severity === 'error')) return 1;
    const model = buildModel(result.snapshot);
    for (const diagnostic of modelProblems(model)) {
      const placed = withSpan(diagnostic, result.snapshot);
      err.write(`${renderDiagnostic(placed, { source: (file) => result.text(file), color })}\n`);
    }
    const answers = described.map((node) => {
      const { clusters, endpoints, listeners, routes, extensions } = translate(model, node).resources;
      return {
        clusters: sorted(clusters, (each) => each.name),
        endpoints: sorted(endpoints, (each) => each.clusterName),
        listeners: sorted(listeners, (each) => each.name),
        routes: sorted(routes, (each) => each.name),
        ...(extensions.length === 0 ? {} : { extensions: sorted(extensions, (each) => each.name) }),
      };
    });
    const answer = answers.length === 1 ? answers[0] : answers;
    if (format === 'json') out.write(`${JSON.stringify(answer, undefined, 2)}\n`);
    else {
      const { dump } = await import('js-yaml');
      out.write(dump(answer, { noRefs: true, lineWidth: -1 }));
    }
    return 0;
  },
};

function sorted<T>(list: readonly T[], name: (item: T) => string | undefined): T[] {
  const key = (item: T): string => name(item) ?? '';
  return list.toSorted((a, b) => (key(a) < key(b) ? -1 : key(a) > key(b) ? 1 : 0));
}
