import { Headers } from '../../http/headers.ts';
import type { ConnectionInfo, RequestHead, StreamInfo } from '../../types.ts';

/** A permission or a principal: something that holds or not for a request, or for a connection alone. */
export interface Rule {
  /** In words. */
  readonly text: string;
  /** The rules an `and` is made of, so that a denial can name the one that failed. */
  readonly parts?: readonly Rule[];
  readonly test: (connection: ConnectionInfo, request: RequestHead, info: StreamInfo | undefined) => boolean;
}

/** Of a connection alone: rules about requests see one without anything in it. */
export const NO_REQUEST: RequestHead = { method: '', path: '', authority: '', scheme: '', headers: new Headers() };

export function all(rules: readonly Rule[]): Rule {
  if (rules.length === 1) return rules[0]!;
  return {
    text: rules.map((rule) => rule.text).join(' and '),
    parts: rules,
    test(connection, request, info) {
      for (let i = 0; i < rules.length; i++) if (!rules[i]!.test(connection, request, info)) return false;
      return true;
    },
  };
}

export function any(rules: readonly Rule[]): Rule {
  if (rules.length === 1) return rules[0]!;
  return {
    text: rules.length === 0 ? 'nothing' : `(${rules.map((rule) => rule.text).join(' or ')})`,
    test(connection, request, info) {
      for (let i = 0; i < rules.length; i++) if (rules[i]!.test(connection, request, info)) return true;
      return false;
    },
  };
}

export function not(rule: Rule): Rule {
  if (rule === always) return never;
  return { text: `not ${rule.text}`, test: (connection, request, info) => !rule.test(connection, request, info) };
}

export const always: Rule = { text: 'anything', test: () => true };
export const never: Rule = { text: 'nothing', test: () => false };

/** What of a rule does not hold, in words. */
export function failing(
  rule: Rule,
  connection: ConnectionInfo,
  request: RequestHead,
  info: StreamInfo | undefined,
): string {
  if (rule.parts === undefined) return rule.text;
  return rule.parts
    .filter((part) => !part.test(connection, request, info))
    .map((part) => failing(part, connection, request, info))
    .join(', ');
}
