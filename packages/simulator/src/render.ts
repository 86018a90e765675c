import type { TraceStep } from '@mizzen/proxy/types.ts';
import type { Explanation, Step } from './types.ts';

/** Where the YAML behind a place in the xDS is; undefined: nobody wrote it. */
export type OriginOf = (
  type: NonNullable<TraceStep['xds']>['type'],
  resource: string,
  path: readonly (string | number)[],
  node: string,
) => { readonly file: string; readonly line: number } | undefined;

export interface RenderOptions {
  /** What a person calls a node. */
  readonly label?: (node: string) => string;
  readonly color?: boolean;
}

/** The explanation as text: one line a step, with the file and line that it comes from. */
export function renderExplanation(explanation: Explanation, originOf: OriginOf, options: RenderOptions = {}): string {
  const paint = painter(options.color === true);
  const label = options.label ?? ((node: string) => node);
  const { request, steps, verdict } = explanation;
  const lines = [paint.bold(`${request.method} http://${request.authority}${request.path}`)];
  let last: Step | undefined;
  for (const step of steps) {
    if (step.node !== last?.node || step.side !== last.side) lines.push('', paint.bold(label(step.node)));
    last = step;
    lines.push(`  ${sign(step, paint)} ${step.text}${place(step, originOf, paint)}`);
  }
  const mark = verdict.reached ? paint.green('→') : paint.red('→');
  const flags = verdict.flags === '-' ? '' : ` (${verdict.flags})`;
  lines.push('', `${mark} ${verdict.text}${flags}`);
  return `${lines.join('\n')}\n`;
}

interface Paint {
  readonly bold: (text: string) => string;
  readonly green: (text: string) => string;
  readonly red: (text: string) => string;
  readonly dim: (text: string) => string;
}

function painter(color: boolean): Paint {
  const style = (code: number, end: number) => (text: string) =>
    color ? `\u001b[${code}m${text}\u001b[${end}m` : text;
  return { bold: style(1, 22), green: style(32, 39), red: style(31, 39), dim: style(2, 22) };
}

function sign(step: Step, paint: Paint): string {
  if (step.matched === undefined) return paint.dim('·');
  return step.matched ? paint.green('✓') : paint.red('✗');
}

function place(step: Step, originOf: OriginOf, paint: Paint): string {
  if (step.xds === undefined) return '';
  const origin = originOf(step.xds.type, step.xds.resource, step.xds.path, step.node);
  return origin === undefined ? '' : paint.dim(`  ${origin.file}:${origin.line}`);
}
