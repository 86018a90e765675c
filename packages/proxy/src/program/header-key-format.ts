import type { types } from '@mizzen/xds';
import type { CompileContext } from './context.ts';
import type { Path } from './path.ts';

/** How header names are spelled on the wire. */
export function compileHeaderKeyFormat(
  context: CompileContext,
  format: types.core.Http1ProtocolOptions_HeaderKeyFormat | undefined,
  path: Path,
): 'lowercase' | 'proper-case' | 'preserve-case' {
  if (format?.properCaseWords !== undefined) return 'proper-case';
  if (format?.statefulFormatter === undefined) return 'lowercase';
  const type = format.statefulFormatter.typedConfig?.['@type'] ?? '';
  if (type.endsWith('.PreserveCaseFormatterConfig')) return 'preserve-case';
  context.refuse([...path, 'statefulFormatter'], `\`${type}\` is not a formatter that is supported`);
  return 'lowercase';
}
