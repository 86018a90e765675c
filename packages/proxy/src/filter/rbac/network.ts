import type { types } from '@mizzen/xds';
import type { CompileContext } from '../../program/context.ts';
import { milliseconds } from '../../program/values.ts';
import type { Path } from '../../program/path.ts';
import type { NetworkRbacDecision, NetworkRbacProgram } from '../../program/types.ts';
import { newStreamInfo } from '../../program/offline-stream.ts';
import type { ConnectionInfo, StreamInfo, Trace } from '../../types.ts';
import { refuseHeaderRules } from './connection-rules.ts';
import { NO_REQUEST } from './rule.ts';
import { compileRbac, placeOf, type RbacEngine, type Verdict } from './engine.ts';
import { authorizationText, dotted } from './http.ts';
import { compileRbacMatcher } from './matcher.ts';

const ALLOWED: NetworkRbacDecision = { allowed: true, details: '', policy: '', metadata: undefined };

export function compileNetworkRbac(
  context: CompileContext,
  config: types.networkRbac.RBAC,
  path: Path,
): NetworkRbacProgram {
  const { statPrefix = '', shadowRulesStatPrefix: shadowPrefix = '' } = config;
  if (statPrefix === '') context.refuse([...path, 'statPrefix'], 'must not be empty');
  const count = (name: string): { value: number } => context.deps.counter(`${dotted(statPrefix)}rbac.${name}`);
  const counters = {
    allowed: count('allowed'),
    denied: count('denied'),
    shadowAllowed: count(`${dotted(shadowPrefix)}shadow_allowed`),
    shadowDenied: count(`${dotted(shadowPrefix)}shadow_denied`),
  };
  const compile = (
    rules: types.rbac.RBAC | undefined,
    matcher: object | undefined,
    prefix: string,
    kind: string,
    at: Path,
  ): RbacEngine | undefined => {
    const names = { policy: `${prefix}${kind}_effective_policy_id`, result: `${prefix}${kind}_engine_result` };
    if (matcher !== undefined) return compileRbacMatcher(context, matcher, names, 'connection', at);
    return rules === undefined ? undefined : compileRbac(context, rules, names, at);
  };
  refuseHeaderRules(context, config.rules, [...path, 'rules']);
  refuseHeaderRules(context, config.shadowRules, [...path, 'shadowRules']);
  const rulesField = config.matcher === undefined ? 'rules' : 'matcher';
  const shadowField = config.shadowMatcher === undefined ? 'shadowRules' : 'shadowMatcher';
  const enforced = compile(config.rules, config.matcher, '', 'enforced', [...path, rulesField]);
  const shadow = compile(config.shadowRules, config.shadowMatcher, shadowPrefix, 'shadow', [...path, shadowField]);
  const evaluate = (
    engine: RbacEngine,
    field: string,
    connection: ConnectionInfo,
    trace: Trace | undefined,
    info: StreamInfo | undefined,
  ): Verdict => {
    if (trace === undefined) return engine.evaluate(connection, NO_REQUEST, info);
    const place = { type: 'listener', resource: context.resource, path: [...path, field] } as const;
    const verdict = engine.explain(connection, NO_REQUEST, info, trace, place);
    const dryRun = field === shadowField;
    trace.push({
      kind: dryRun ? 'authorization-dry-run' : 'authorization',
      matched: dryRun ? undefined : verdict.allowed,
      text: `${dryRun ? 'dry run, would be ' : ''}${authorizationText(engine.action, verdict)}`,
      xds: placeOf(verdict, place),
    });
    return verdict;
  };

  return {
    statPrefix,
    enforcement: config.enforcementType ?? 'ONE_TIME_ON_FIRST_BYTE',
    delayDeny: milliseconds(config.delayDeny, 0),
    check(connection, trace, dynamicMetadata) {
      const info = dynamicMetadata === undefined ? undefined : { ...newStreamInfo(connection), dynamicMetadata };
      let shadowed: Verdict | undefined;
      if (shadow !== undefined) {
        shadowed = evaluate(shadow, shadowField, connection, trace, info);
        (shadowed.allowed ? counters.shadowAllowed : counters.shadowDenied).value++;
      }
      if (enforced === undefined) return shadowed === undefined ? ALLOWED : { ...ALLOWED, metadata: shadowed.metadata };
      const verdict = evaluate(enforced, rulesField, connection, trace, info);
      (verdict.allowed ? counters.allowed : counters.denied).value++;
      // Of connections, only what would have been decided is noted.
      return { ...verdict, metadata: shadowed?.metadata };
    },
  };
}
