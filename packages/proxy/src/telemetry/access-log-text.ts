import type { types } from '@mizzen/xds';
import type { ExpressionOptions } from '../cel/compile.ts';
import type { CompileContext } from '../program/context.ts';
import type { Path } from '../program/path.ts';
import { messageOf } from '../program/read-resource.ts';
import type { LogSource } from '../program/types.ts';
import { wire } from '../program/values.ts';
import { parseFormat, textFormatter } from './access-log-format.ts';
import type { OperatorDeps } from './operators/operator.ts';

export function operatorDeps(context: CompileContext, expressions?: ExpressionOptions): OperatorDeps {
  const { clock, random, env, routeTimes } = context.deps;
  return { env, wall: () => clock.wall(), uuid: () => random.uuid(), expressions, routeTimes };
}

const FORMATTER = 'envoy.extensions.formatter.';
/** Formatters whose operators are always there, as in Envoy. */
const BUILT_IN = new Set([`${FORMATTER}metadata.v3.Metadata`, `${FORMATTER}req_without_query.v3.ReqWithoutQuery`]);

/** What expressions may do that a format has. */
export function compileFormatters(
  context: CompileContext,
  formatters: readonly types.core.TypedExtensionConfig[] | undefined,
  path: Path,
): ExpressionOptions | undefined {
  let options: ExpressionOptions | undefined;
  formatters?.forEach(({ typedConfig }, i) => {
    const type = messageOf(typedConfig?.['@type'] ?? '');
    if (type === `${FORMATTER}cel.v3.Cel`) options = (typedConfig as types.celFormatter.Cel).celConfig;
    else if (!BUILT_IN.has(type))
      context.refuse([...path, i, 'typedConfig'], `\`${type}\` is not a formatter that is supported`);
  });
  return options;
}

/** Text in wire form, one character a byte. Refuses unknown operators. */
export function text(
  context: CompileContext,
  format: string,
  absent: string,
  path: Path,
  expressions?: ExpressionOptions,
): (source: LogSource) => string {
  const parsed = parseFormat(wire(format), operatorDeps(context, expressions));
  if (!('problem' in parsed)) return textFormatter(parsed, absent);
  context.refuse(path, parsed.problem);
  return () => '';
}
