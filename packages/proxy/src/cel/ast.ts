import type { Value } from './values.ts';

/** An expression of the Common Expression Language, macros already resolved. */
export type Expression =
  | { readonly kind: 'constant'; readonly value: Value }
  | { readonly kind: 'identifier'; readonly name: string }
  /** `test`: only whether it is there. */
  | { readonly kind: 'select'; readonly operand: Expression; readonly field: string; readonly test: boolean }
  | {
      readonly kind: 'call';
      readonly name: string;
      readonly target: Expression | undefined;
      readonly args: readonly Expression[];
    }
  | { readonly kind: 'list'; readonly items: readonly Expression[] }
  | { readonly kind: 'map'; readonly entries: readonly (readonly [Expression, Expression])[] };

/** What is wrong with an expression, in words for whoever wrote it. */
export class ExpressionError extends Error {}
