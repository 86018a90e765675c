import { locate, withSpan } from '@mizzen/api';
import { renderDiagnostic } from '@mizzen/diagnostics';
import { diagnosticsOf } from '../diagnostics.ts';
import { offlineMesh, type OfflineMesh } from '@mizzen/runtime/control/offline.ts';
import { type Explanation, offlineDeps, renderExplanation, simulate } from '@mizzen/simulator';
import { type Command, common, list, text, UsageError } from '../command.ts';
import { entranceOf } from '../explain/enter.ts';
import { loadMesh } from '../explain/load.ts';
import { type OfflineProxy, proxiesOf, withApplications } from '../explain/programs.ts';
import { explanationReport, type OriginOfStep } from '../explain/report.ts';
import { parseTarget } from '../explain/target.ts';
import { meshFlags } from '../running.ts';

export const command: Command = {
  name: 'explain',
  usage: "'METHOD URL' [--from WORKLOAD] [-H 'NAME: VALUE']...",
  summary: 'Says what the mesh would do with a request, step by step, and which line of YAML says so.',
  description:
    'Nothing is sent: the request goes through the same matchers that the proxies run, over the files named with ' +
    '--config or, without, over those of the running mesh, as if everything in them ran and was ready. Without --from ' +
    "it comes from outside, to the gateway that listens on the URL's port.",
  flags: {
    ...meshFlags,
    from: { type: 'string', value: 'WORKLOAD', help: 'who sends it: a pod, workload, app label or Service' },
    header: { type: 'string', short: 'H', multiple: true, value: 'NAME: VALUE', help: 'a header; may repeat' },
    config: common.config,
    'mesh-config': common['mesh-config'],
    output: { ...common.output, help: 'json or yaml instead of text' },
    chance: {
      type: 'string',
      value: 'NUMBER',
      help: 'what weights and percentages are decided by, 0 to 1 (default 0.5)',
    },
  },
  examples: [
    "mizzen explain 'GET http://catalog:8080/products' --from orders -H 'x-user: beta'",
    "mizzen explain 'POST http://localhost:8080/orders' --config examples/store",
  ],
  async run(invocation) {
    const { positionals, values, out, err, color } = invocation;
    const format = text(values, 'output');
    if (format !== undefined && format !== 'json' && format !== 'yaml') {
      throw new UsageError(`-o is \`json\` or \`yaml\`, not \`${format}\``);
    }
    const target = parseTarget(positionals, list(values, 'header'));
    const chance = Number(text(values, 'chance') ?? '0.5');
    if (!(chance >= 0 && chance <= 1))
      throw new UsageError(`--chance: \`${text(values, 'chance')}\` is not from 0 to 1`);
    const result = await loadMesh(invocation);
    for (const diagnostic of await diagnosticsOf(result)) {
      err.write(`${renderDiagnostic(diagnostic, { source: (file) => result.text(file), color })}\n`);
    }
    const mesh = offlineMesh(result.snapshot);
    for (const diagnostic of mesh.model.gatewayApi.diagnostics) {
      const placed = withSpan(diagnostic, mesh.snapshot);
      err.write(`${renderDiagnostic(placed, { source: (file) => result.text(file), color })}\n`);
    }
    const proxies = proxiesOf(mesh);
    const { proxy, request } = await entranceOf(mesh, proxies, target, text(values, 'from'), text(values, 'namespace'));
    const { random } = offlineDeps(0, Math.min(chance, 1 - Number.EPSILON));
    const programs = proxies.map((each) => each.programs);
    const explanation = withApplications(await simulate(proxy.programs, programs, request, { random }), proxies);
    const label = labels(proxies);
    const originOf = origins(mesh, proxies);
    if (format === undefined) out.write(renderText(explanation, originOf, label, color));
    else {
      const report = explanationReport(explanation, originOf, label);
      if (format === 'json') out.write(`${JSON.stringify(report, undefined, 2)}\n`);
      else {
        const { dump } = await import('js-yaml');
        out.write(dump(report, { noRefs: true, lineWidth: -1 }));
      }
    }
    return 0;
  },
};

function renderText(
  explanation: Explanation,
  originOf: OriginOfStep,
  label: (node: string) => string,
  color: boolean,
): string {
  const place = (...key: Parameters<OriginOfStep>): { file: string; line: number } | undefined =>
    originOf(...key)?.span;
  return renderExplanation(explanation, place, { label, color });
}

/** `catalog-v1 in store, as spiffe://…` for each node. */
function labels(proxies: readonly OfflineProxy[]): (node: string) => string {
  const names = new Map(
    proxies.map(({ pod, programs }) => [programs.node, `${pod.owner.name}.${pod.namespace} as ${programs.identity}`]),
  );
  return (node) => names.get(node) ?? node;
}

/** What Mizzen added itself, a default gateway say, has no place. */
function origins(mesh: OfflineMesh, proxies: readonly OfflineProxy[]): OriginOfStep {
  const byNode = new Map(proxies.map(({ programs, origins: table }) => [programs.node, table]));
  return (type, resource, path, node) => {
    const origin = byNode.get(node)?.find(type, resource, path);
    const found = origin === undefined ? undefined : mesh.snapshot.find(origin.resource);
    if (origin === undefined || found === undefined) return undefined;
    const span = found.source.file.startsWith('<default>') ? undefined : locate(found, origin.path);
    return span === undefined ? undefined : { ref: origin.resource, path: origin.path, span };
  };
}
