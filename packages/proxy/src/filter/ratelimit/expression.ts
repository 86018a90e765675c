import type { types } from '@mizzen/xds';
import { compileExpressionText, compileParsedExpression } from '../../cel/config.ts';
import { printValue } from '../../cel/print.ts';
import type { CompileContext } from '../../program/context.ts';
import type { Path } from '../../program/path.ts';
import { messageOf } from '../../program/read-resource.ts';
import { unwire } from '../../program/values.ts';
import type { HttpStream } from '../../types.ts';
import type { RateLimitAction } from './policies.ts';

const EXPRESSION = 'envoy.extensions.rate_limit_descriptors.expr.v3.Descriptor';

/** An entry whose value is what an expression makes of the request. */
export function compileExtension(
  context: CompileContext,
  { typedConfig }: types.core.TypedExtensionConfig,
  path: Path,
): RateLimitAction {
  const at = [...path, 'typedConfig'];
  const type = messageOf(typedConfig?.['@type'] ?? '');
  if (type !== EXPRESSION) {
    context.refuse(at, `\`${type}\` is not a descriptor that is supported`);
    return () => undefined;
  }
  const { descriptorKey: key = '', skipIfError, text, parsed } = typedConfig as types.rateLimitExpression.Descriptor;
  if (key === '') context.refuse([...at, 'descriptorKey'], 'must not be empty');
  if (text === undefined && parsed === undefined) context.refuse(at, 'must have `text` or `parsed`');
  const evaluate =
    parsed === undefined
      ? compileExpressionText(context, text ?? '""', undefined, [...at, 'text'])
      : compileParsedExpression(context, parsed, undefined, [...at, 'parsed']);
  return (stream: HttpStream) => {
    const value = printValue(evaluate(stream));
    if (value === undefined) return skipIfError === true ? 'skip' : undefined;
    return { key, value: unwire(value) };
  };
}
