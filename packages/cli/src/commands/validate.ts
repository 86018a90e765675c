import { renderDiagnostic } from '@mizzen/diagnostics';
import { readFiles } from '@mizzen/sources';
import type { ReadResult } from '@mizzen/sources';
import { engineOf } from '../engine.ts';
import { UsageError, common, list, text } from '../command.ts';
import type { Command, Invocation } from '../command.ts';
import { diagnosticsOf } from '../diagnostics.ts';

export const command: Command = {
  name: 'validate',
  usage: '[-f FILE|DIR|-] [FILE|DIR...]',
  summary: "check each resource by itself, as istiod's webhook would",
  description:
    'Exit status: 0 when every resource is valid (warnings are allowed), 1 when one is not or cannot be read.',
  flags: {
    filename: { type: 'string', short: 'f', multiple: true, value: 'FILE|DIR|-', help: 'what to check; may repeat' },
    config: common.config,
    'mesh-config': common['mesh-config'],
    namespace: { ...common.namespace, help: 'namespace of resources that name none' },
    engine: { type: 'string', value: 'mizzen|envoy', help: "whose gaps to warn of; Mizzen's own proxy unless told" },
    output: { ...common.output, help: 'json instead of text' },
  },
  examples: ['mizzen validate mesh/', 'kubectl get virtualservices -A -o yaml | mizzen validate -f -'],

  async run({ positionals, values, out, err, color }: Invocation): Promise<number> {
    const paths = [...list(values, 'filename'), ...list(values, 'config'), ...positionals];
    if (paths.length === 0)
      throw new UsageError('nothing to check', 'name a file, a directory, or `-` for standard input');
    const format = text(values, 'output');
    if (format !== undefined && format !== 'json')
      throw new UsageError(`unknown output format \`${format}\``, 'use `-o json`');
    const engine = engineOf(text(values, 'engine'));
    const read = await readFiles(paths, {
      engine,
      namespace: text(values, 'namespace'),
      meshConfig: text(values, 'mesh-config'),
    });
    // Each resource is judged by itself: that there are two of one name is worth a warning here.
    const diagnostics = (await diagnosticsOf(read)).map((d) =>
      d.code === 'MZ0007' ? { ...d, severity: 'warning' as const } : d,
    );
    const result = { ...read, diagnostics };
    const errors = result.diagnostics.filter(({ severity }) => severity === 'error').length;
    if (format === 'json') out.write(`${JSON.stringify(report(result, errors), null, 2)}\n`);
    else {
      for (const diagnostic of result.diagnostics) {
        out.write(`${renderDiagnostic(diagnostic, { source: (file) => result.text(file), color })}\n`);
      }
      remarks(result, errors, err);
    }
    return errors > 0 ? 1 : 0;
  },
};

function report(result: ReadResult, errors: number): object {
  return {
    valid: errors === 0,
    resources: countOf(result),
    diagnostics: result.diagnostics,
    leftAlone: result.leftAlone.map(({ ref, insteadOf }) => ({ ...ref, insteadOf })),
    passedOver: result.passedOver.map(({ ofOtherTool: _, ...rest }) => rest),
  };
}

function countOf({ changed, refused, diagnostics }: ReadResult): number {
  return changed.added.length + refused.length + diagnostics.filter(({ code }) => code === 'MZ0007').length;
}

function remarks(result: ReadResult, errors: number, err: NodeJS.WritableStream): void {
  const { leftAlone, passedOver, diagnostics } = result;
  const kinds = new Map<string, string | undefined>(leftAlone.map(({ ref, insteadOf }) => [ref.kind, insteadOf]));
  for (const [kind, insteadOf] of kinds) err.write(`${kind} is left alone${insteadOf ? `: ${insteadOf}` : ''}\n`);
  if (passedOver.length > 0) {
    const files = [...new Set(passedOver.map(({ file }) => file))];
    err.write(`not Kubernetes resources, passed over: ${files.join(', ')}\n`);
  }
  const count = countOf(result);
  const warnings = diagnostics.filter(({ severity }) => severity === 'warning').length;
  const found = errors + warnings === 0 ? 'valid' : `${plural(errors, 'error')}, ${plural(warnings, 'warning')}`;
  err.write(`${plural(count, 'resource')}: ${found}\n`);
}

function plural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}
