import type { types } from '@mizzen/xds';
import type { CompileContext } from './context.ts';
import type { Path } from './path.ts';

export interface HeaderKeyProgram {
  readonly format: 'lowercase' | 'proper-case' | 'preserve-case';
  /** What keeps the spelling of others spells names that are added here `Proper-Case`. */
  readonly properOthers: boolean;
  /** Phrases of statuses are passed on. */
  readonly keepsReason: boolean;
}

const simple = (format: HeaderKeyProgram['format']): HeaderKeyProgram => ({
  format,
  properOthers: false,
  keepsReason: false,
});

/** How header names are spelled on the wire. */
export function compileHeaderKeyFormat(
  context: CompileContext,
  format: types.core.Http1ProtocolOptions_HeaderKeyFormat | undefined,
  path: Path,
): HeaderKeyProgram {
  if (format?.properCaseWords !== undefined) return simple('proper-case');
  if (format?.statefulFormatter === undefined) return simple('lowercase');
  const type = format.statefulFormatter.typedConfig?.['@type'] ?? '';
  if (type.endsWith('.PreserveCaseFormatterConfig')) {
    const config = format.statefulFormatter.typedConfig as unknown as types.preserveCase.PreserveCaseFormatterConfig;
    return {
      format: 'preserve-case',
      properOthers: config.formatterTypeOnEnvoyHeaders === 'PROPER_CASE',
      keepsReason: config.forwardReasonPhrase === true,
    };
  }
  context.refuse([...path, 'statefulFormatter'], `\`${type}\` is not a formatter that is supported`);
  return simple('lowercase');
}
