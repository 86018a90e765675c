import type { types } from '@mizzen/xds';
import type { CompileContext } from '../program/context.ts';
import type { Path } from '../program/path.ts';
import { ExpressionError, type Expression } from './ast.ts';
import { compileExpression, type Evaluate, type ExpressionOptions } from './compile.ts';
import { expressionOf } from './from-json.ts';
import { parseExpression } from './parser.ts';
import { UNKNOWN } from './values.ts';

/** Compiles an expression that is written out. After a refusal: one without a value. */
export function compileExpressionText(
  context: CompileContext,
  text: string,
  options: ExpressionOptions | undefined,
  path: Path,
): Evaluate {
  return compileFrom(context, () => parseExpression(text), options, path);
}

/** The same for an expression that comes parsed. */
export function compileParsedExpression(
  context: CompileContext,
  expr: types.expr.Expr,
  options: ExpressionOptions | undefined,
  path: Path,
): Evaluate {
  return compileFrom(context, () => expressionOf(expr), options, path);
}

/** What a matcher or sampler evaluates, in whichever of its fields it stands; refused where there is none. */
export function compileCelExpression(
  context: CompileContext,
  expression: types.xdsType.CelExpression | undefined,
  path: Path,
): Evaluate | undefined {
  const { celExprChecked, celExprParsed, parsedExpr, checkedExpr } = expression ?? {};
  for (const [field, holder] of Object.entries({ celExprChecked, celExprParsed, parsedExpr, checkedExpr })) {
    if (holder?.expr !== undefined)
      return compileParsedExpression(context, holder.expr as types.expr.Expr, undefined, [...path, field, 'expr']);
  }
  context.refuse(path, 'must have an expression in `celExprParsed` or `celExprChecked`');
  return undefined;
}

function compileFrom(
  context: CompileContext,
  read: () => Expression,
  options: ExpressionOptions | undefined,
  path: Path,
): Evaluate {
  try {
    return compileExpression(read(), options);
  } catch (error) {
    if (!(error instanceof ExpressionError)) throw error;
    context.refuse(path, error.message);
    return () => UNKNOWN;
  }
}
