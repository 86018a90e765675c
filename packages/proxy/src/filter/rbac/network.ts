import type { types } from '@mizzen/xds';
import { Headers } from '../../http/headers.ts';
import type { CompileContext } from '../../program/context.ts';
import { milliseconds } from '../../program/values.ts';
import type { Path } from '../../program/path.ts';
import type { NetworkRbacDecision, NetworkRbacProgram } from '../../program/types.ts';
import type { ConnectionInfo, RequestHead, Trace } from '../../types.ts';
import { compileRbac, placeOf, type RbacEngine, type Verdict } from './engine.ts';
import { authorizationText, dotted } from './http.ts';

/** Rules about requests see one without anything in it. */
const NO_REQUEST: RequestHead = { method: '', path: '', authority: '', scheme: '', headers: new Headers() };
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
    rbac: types.rbac.RBAC | undefined,
    prefix: string,
    kind: string,
    field: string,
  ): RbacEngine | undefined =>
    rbac === undefined
      ? undefined
      : compileRbac(
          context,
          rbac,
          { policy: `${prefix}${kind}_effective_policy_id`, result: `${prefix}${kind}_engine_result` },
          [...path, field],
        );
  const enforced = compile(config.rules, '', 'enforced', 'rules');
  const shadow = compile(config.shadowRules, shadowPrefix, 'shadow', 'shadowRules');
  const evaluate = (
    engine: RbacEngine,
    field: string,
    connection: ConnectionInfo,
    trace: Trace | undefined,
  ): Verdict => {
    if (trace === undefined) return engine.evaluate(connection, NO_REQUEST, undefined);
    const place = { type: 'listener', resource: context.resource, path: [...path, field] } as const;
    const verdict = engine.explain(connection, NO_REQUEST, undefined, trace, place);
    const dryRun = field === 'shadowRules';
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
    check(connection, trace) {
      let shadowed: Verdict | undefined;
      if (shadow !== undefined) {
        shadowed = evaluate(shadow, 'shadowRules', connection, trace);
        (shadowed.allowed ? counters.shadowAllowed : counters.shadowDenied).value++;
      }
      if (enforced === undefined) return shadowed === undefined ? ALLOWED : { ...ALLOWED, metadata: shadowed.metadata };
      const verdict = evaluate(enforced, 'rules', connection, trace);
      (verdict.allowed ? counters.allowed : counters.denied).value++;
      return shadowed === undefined ? verdict : { ...verdict, metadata: { ...shadowed.metadata, ...verdict.metadata } };
    },
  };
}
