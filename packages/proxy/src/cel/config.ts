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
