import type { types } from '@mizzen/xds';
import type { CompileContext } from '../program/context.ts';
import type { Path } from '../program/path.ts';
import { messageOf } from '../program/read-resource.ts';
import type { LogSource } from '../program/types.ts';
import { wire } from '../program/values.ts';
import { parseFormat, textFormatter } from './access-log-format.ts';
import type { FormatOptions, OperatorDeps } from './operators/operator.ts';

export function operatorDeps(context: CompileContext, options?: FormatOptions): OperatorDeps {
  const { clock, random, env, routeTimes } = context.deps;
  return { env, wall: () => clock.wall(), uuid: () => random.uuid(), routeTimes, ...options };
}

const FORMATTER = 'envoy.extensions.formatter.';

/** What a format has by the formatters it lists. The operators of metadata and of expressions are always there, as in Envoy. */
export function compileFormatters(
  context: CompileContext,
  formatters: readonly types.core.TypedExtensionConfig[] | undefined,
  path: Path,
): FormatOptions | undefined {
  let options: FormatOptions | undefined;
  formatters?.forEach(({ typedConfig }, i) => {
    const type = messageOf(typedConfig?.['@type'] ?? '');
    if (type === `${FORMATTER}cel.v3.Cel`)
      options = { ...options, expressions: (typedConfig as types.celFormatter.Cel).celConfig };
    else if (type === `${FORMATTER}req_without_query.v3.ReqWithoutQuery`) options = { ...options, withoutQuery: true };
    else if (type !== `${FORMATTER}metadata.v3.Metadata`)
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
  options?: FormatOptions,
): (source: LogSource) => string {
  const parsed = parseFormat(wire(format), operatorDeps(context, options));
  if (!('problem' in parsed)) return textFormatter(parsed, absent);
  context.refuse(path, parsed.problem);
  return () => '';
}
