import type { types } from '@mizzen/xds';
import type { CompileContext } from '../../program/context.ts';
import { knownOf, RULES_OF_CONNECTIONS, RULES_OF_REQUESTS, type Asked } from '../../program/match/known.ts';
import { compileMatcher, type MatcherConfig, type MatcherKind } from '../../program/match/matcher.ts';
import type { Path } from '../../program/path.ts';
import { messageOf } from '../../program/read-resource.ts';
import type { ConnectionInfo, RequestHead, StreamInfo } from '../../types.ts';
import { verdict, type RbacEngine, type Verdict, type VerdictNames } from './engine.ts';

const ACTION = 'envoy.config.rbac.v3.Action';

/** A tree of matchers that lead to actions, in place of policies. What matches nothing is denied. */
export function compileRbacMatcher(
  context: CompileContext,
  matcher: object,
  names: VerdictNames,
  of: 'request' | 'connection',
  path: Path,
): RbacEngine {
  const logs = JSON.stringify(matcher).includes('"LOG"');
  const otherwise = verdict(names, false, '');
  const choose = compileMatcher(context, matcher as MatcherConfig, subject(names, of, logs), path);
  const evaluate = (connection: ConnectionInfo, request: RequestHead, info: StreamInfo | undefined): Verdict =>
    choose({ connection, request, info }) ?? otherwise;
  return {
    action: 'ALLOW',
    evaluate,
    explain(connection, request, info, trace, place) {
      const found = evaluate(connection, request, info);
      const text = found.policy === '' ? 'the matcher fits nowhere' : `the matcher leads to "${found.policy}"`;
      trace.push({ kind: 'policy', matched: found !== otherwise, text, xds: place });
      return found;
    },
  };
}

function subject(names: VerdictNames, of: 'request' | 'connection', logs: boolean): MatcherKind<Asked, Verdict> {
  return {
    ...knownOf(of === 'request' ? RULES_OF_REQUESTS : RULES_OF_CONNECTIONS),
    action(context, extension, path) {
      const config = extension?.typedConfig;
      if (config === undefined || messageOf(config['@type']) !== ACTION) {
        context.refuse(path, `must be one of type ${ACTION}`);
        return undefined;
      }
      const { name = '', action = 'ALLOW' } = config as types.rbac.Action;
      if (name === '') context.refuse([...path, 'typedConfig', 'name'], 'must not be empty');
      return verdict(names, action !== 'DENY', name, logs ? action === 'LOG' : undefined);
    },
  };
}
