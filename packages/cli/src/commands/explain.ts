import { withSpan } from '@mizzen/api';
import { modelProblems } from '@mizzen/model';
import { renderDiagnostic } from '@mizzen/diagnostics';
import { diagnosticsOf } from '../diagnostics.ts';
import { offlineMesh } from '@mizzen/runtime/control/offline.ts';
import { Explainer } from '@mizzen/runtime/explain/explainer.ts';
import type { OriginOfStep } from '@mizzen/runtime/explain/report.ts';
import { BadQuestion, parseTarget, type Target } from '@mizzen/runtime/explain/target.ts';
import { type Explanation, renderExplanation } from '@mizzen/simulator';
import { type Command, common, list, text, UsageError } from '../command.ts';
import { findPod } from '../explain/find-pod.ts';
import { loadMesh, runningPlaces } from '../explain/load.ts';
import { meshFlags } from '../running.ts';

const IN_FORCE =
  'note: what is refused is left out below. The running mesh goes on with its last good version, if there was one; Explain ' +
  'in its console answers by that.\n\n';

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
    const target = parsed(positionals, list(values, 'header'));
    const chance = Number(text(values, 'chance') ?? '0.5');
    if (!(chance >= 0 && chance <= 1))
      throw new UsageError(`--chance: \`${text(values, 'chance')}\` is not from 0 to 1`);
    const result = await loadMesh(invocation);
    const diagnostics = await diagnosticsOf(result);
    for (const diagnostic of diagnostics) {
      err.write(`${renderDiagnostic(diagnostic, { source: (file) => result.text(file), color })}\n`);
    }
    if (list(values, 'config').length === 0 && diagnostics.some(({ severity }) => severity === 'error'))
      err.write(IN_FORCE);
    const ofFiles = list(values, 'config').length > 0;
    const mesh = offlineMesh(result.snapshot, ofFiles ? {} : await runningPlaces(values));
    for (const diagnostic of modelProblems(mesh.model)) {
      const placed = withSpan(diagnostic, mesh.snapshot);
      err.write(`${renderDiagnostic(placed, { source: (file) => result.text(file), color })}\n`);
    }
    const explainer = new Explainer(mesh);
    const from = text(values, 'from');
    const pod = from === undefined ? undefined : await findPod(mesh, from, text(values, 'namespace'));
    const explanation = await explainer.explain(target, pod, chance).catch(refused);
    if (format === undefined) out.write(renderText(explanation, explainer, color));
    else {
      const report = explainer.report(explanation);
      if (format === 'json') out.write(`${JSON.stringify(report, undefined, 2)}\n`);
      else {
        const { dump } = await import('js-yaml');
        out.write(dump(report, { noRefs: true, lineWidth: -1 }));
      }
    }
    return 0;
  },
};

function renderText(explanation: Explanation, { originOf, label }: Explainer, color: boolean): string {
  const place = (...key: Parameters<OriginOfStep>): { file: string; line: number } | undefined =>
    originOf(...key)?.span;
  return renderExplanation(explanation, place, { label, color });
}

/** What cannot be answered is a mistake of usage here. */
function refused(error: unknown): never {
  throw error instanceof BadQuestion ? new UsageError(error.message, error.help) : error;
}

function parsed(...args: Parameters<typeof parseTarget>): Target {
  try {
    return parseTarget(...args);
  } catch (error) {
    return refused(error);
  }
}
