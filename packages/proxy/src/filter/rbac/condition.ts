import type { types } from '@mizzen/xds';
import { compileParsedExpression } from '../../cel/config.ts';
import type { CompileContext } from '../../program/context.ts';
import { newStreamInfo } from '../../program/offline-stream.ts';
import type { Path } from '../../program/path.ts';
import { NO_REQUEST, type Rule } from './rule.ts';

/** A policy's expression; undefined: it has none. What has no value does not hold. */
export function compileCondition(context: CompileContext, policy: types.rbac.Policy, path: Path): Rule | undefined {
  const { condition, celConfig } = policy;
  if (condition === undefined) return undefined;
  const evaluate = compileParsedExpression(context, condition, celConfig, [...path, 'condition']);
  return {
    text: 'the condition holds',
    test: (connection, request, info) =>
      evaluate({
        info: info ?? newStreamInfo(connection),
        request: request === NO_REQUEST ? undefined : request,
      }) === true,
  };
}
