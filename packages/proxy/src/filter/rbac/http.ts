import type { types } from '@mizzen/xds';
import type { CompileContext } from '../../program/context.ts';
import type { Path } from '../../program/path.ts';
import type { Counter } from '../../program/types.ts';
import type { HttpFilter, HttpStream, Trace, TraceStep } from '../../types.ts';
import { PerRouteKind } from '../per-route-kind.ts';
import type { FilterScope } from '../scope.ts';
import { compileRbac, placeOf, type RbacEngine, type Verdict, type VerdictNames } from './engine.ts';
import { compileRbacMatcher } from './matcher.ts';

/** The name under which verdicts are kept, whatever the filter is called. */
const METADATA = 'envoy.filters.http.rbac';
/** Where access loggers are told that a rule wants a request logged. */
const COMMON = 'envoy.common';
const LOG_HINTS = [{ access_log_hint: false }, { access_log_hint: true }];
const BODY = 'RBAC: access denied';

export interface HttpRbac {
  readonly enforced: RbacEngine | undefined;
  readonly shadow: RbacEngine | undefined;
  readonly rulesPath: Path;
  readonly shadowPath: Path;
  /** Verdicts are counted by policy, too. */
  readonly countsPolicies: boolean;
  /** How verdicts are named, if it is said. */
  readonly prefix: string;
  readonly shadowPrefix: string;
}
const DISABLED: HttpRbac = {
  enforced: undefined,
  shadow: undefined,
  rulesPath: [],
  shadowPath: [],
  countsPolicies: false,
  prefix: '',
  shadowPrefix: '',
};

function compileHttpRbac(context: CompileContext, config: types.httpRbac.RBAC, path: Path): HttpRbac {
  const { rulesStatPrefix: enforcedPrefix = '', shadowRulesStatPrefix: shadowPrefix = '' } = config;
  const compile = (
    rules: types.rbac.RBAC | undefined,
    matcher: object | undefined,
    names: VerdictNames,
    at: Path,
  ): RbacEngine | undefined => {
    // Rules that are there beside a matcher count for nothing.
    if (matcher !== undefined) return compileRbacMatcher(context, matcher, names, 'request', at);
    return rules === undefined ? undefined : compileRbac(context, rules, names, at);
  };
  const rulesPath = [...path, config.matcher === undefined ? 'rules' : 'matcher'];
  const shadowPath = [...path, config.shadowMatcher === undefined ? 'shadowRules' : 'shadowMatcher'];
  return {
    enforced: compile(
      config.rules,
      config.matcher,
      { policy: `${enforcedPrefix}enforced_effective_policy_id`, result: `${enforcedPrefix}enforced_engine_result` },
      rulesPath,
    ),
    shadow: compile(
      config.shadowRules,
      config.shadowMatcher,
      { policy: `${shadowPrefix}shadow_effective_policy_id`, result: `${shadowPrefix}shadow_engine_result` },
      shadowPath,
    ),
    rulesPath,
    shadowPath,
    countsPolicies: config.trackPerRuleStats === true,
    prefix: enforcedPrefix,
    shadowPrefix,
  };
}

/** Without `rbac` the filter does nothing for the route. */
function compileRbacPerRoute(
  context: CompileContext,
  config: { readonly rbac?: types.httpRbac.RBAC },
  path: Path,
): HttpRbac {
  return config.rbac === undefined ? DISABLED : compileHttpRbac(context, config.rbac, [...path, 'rbac']);
}
export const rbacPerRoute = new PerRouteKind(compileRbacPerRoute);

/** Lets in what its rules allow; others get a 403. The route's rules replace the filter's own. */
export function rbacFilter(
  context: CompileContext,
  config: types.httpRbac.RBAC,
  scope: FilterScope,
  path: Path,
): HttpFilter {
  const own = compileHttpRbac(context, config, path);
  /** A route's own rules go by the filter's names, unless they have their own. */
  const otherName = (rules: HttpRbac, name: 'prefix' | 'shadowPrefix'): string =>
    rules === own || rules[name] !== '' ? '' : own[name];
  const count = (prefix: string | undefined, name: string): Counter => scope.counter(`rbac.${dotted(prefix)}${name}`);
  const allowed = count(config.rulesStatPrefix, 'allowed');
  const denied = count(config.rulesStatPrefix, 'denied');
  const shadowAllowed = count(config.shadowRulesStatPrefix, 'shadow_allowed');
  const shadowDenied = count(config.shadowRulesStatPrefix, 'shadow_denied');
  const countPolicy = (prefix: string | undefined, { policy, allowed: yes }: Verdict, shadow: string): void => {
    if (policy !== '') count(prefix, `policy.${policy}.${shadow}${yes ? 'allowed' : 'denied'}`).value++;
  };
  return {
    name: scope.name,
    onRequest(stream, trace) {
      const rules = rbacPerRoute.mostSpecific(stream, scope.name) ?? own;
      const { connection } = stream.info;
      if (rules.shadow !== undefined) {
        const verdict = rules.shadow.evaluate(connection, stream.request, stream.info);
        (verdict.allowed ? shadowAllowed : shadowDenied).value++;
        if (rules.countsPolicies) countPolicy(config.shadowRulesStatPrefix, verdict, 'shadow_');
        addMetadata(stream, verdict, otherName(rules, 'shadowPrefix'));
        if (trace !== undefined) traceShadow(rules.shadow, stream, trace, place(scope, rules.shadowPath));
      }
      if (rules.enforced === undefined) return undefined;
      const verdict =
        trace === undefined
          ? rules.enforced.evaluate(connection, stream.request, stream.info)
          : explain(rules.enforced, stream, trace, place(scope, rules.rulesPath));
      if (rules.countsPolicies) countPolicy(config.rulesStatPrefix, verdict, '');
      addMetadata(stream, verdict, otherName(rules, 'prefix'));
      if (verdict.logHint !== undefined) stream.setMetadata(COMMON, LOG_HINTS[verdict.logHint ? 1 : 0]!);
      if (verdict.allowed) {
        allowed.value++;
        return undefined;
      }
      denied.value++;
      stream.info.terminatedBy = verdict.policy;
      stream.sendLocalReply(403, BODY, verdict.details, 0);
      return 'stop';
    },
  };
}

/** A prefix of names, with the dot that ends it. */
export function dotted(prefix: string | undefined): string {
  return prefix === undefined || prefix === '' || prefix.endsWith('.') ? (prefix ?? '') : `${prefix}.`;
}

/** Several RBAC filters of a connection manager write side by side. What they write is made once and used again. */
function addMetadata(stream: HttpStream, verdict: Verdict, prefix: string): void {
  const old = stream.info.dynamicMetadata?.[METADATA];
  if (prefix !== '') {
    const named = Object.entries(verdict.metadata).map(([name, value]) => [prefix + name, value] as const);
    stream.setMetadata(METADATA, { ...old, ...Object.fromEntries(named) });
    return;
  }
  if (old === undefined) {
    stream.setMetadata(METADATA, verdict.metadata);
    return;
  }
  let both = verdict.after.get(old);
  if (both === undefined) {
    both = { ...old, ...verdict.metadata };
    verdict.after.set(old, both);
  }
  stream.setMetadata(METADATA, both);
}

function place(scope: FilterScope, path: Path): TraceStep['xds'] {
  return { type: 'listener', resource: scope.place.resource, path };
}

function explain(engine: RbacEngine, stream: HttpStream, trace: Trace, at: TraceStep['xds']): Verdict {
  const verdict = engine.explain(stream.info.connection, stream.request, stream.info, trace, at);
  trace.push({
    kind: 'authorization',
    matched: verdict.allowed,
    text: authorizationText(engine.action, verdict),
    xds: placeOf(verdict, at),
  });
  return verdict;
}

/** `denied: no ALLOW policy matches`. */
export function authorizationText(action: RbacEngine['action'], verdict: Verdict): string {
  const what = verdict.allowed ? 'allowed' : 'denied';
  return verdict.policy === ''
    ? `${what}: no ${action} policy matches`
    : `${what}: ${action} policy "${verdict.policy}" matches`;
}

function traceShadow(engine: RbacEngine, stream: HttpStream, trace: Trace, at: TraceStep['xds']): void {
  const verdict = engine.explain(stream.info.connection, stream.request, stream.info, trace, at);
  trace.push({
    kind: 'authorization-dry-run',
    text: `dry run, would be ${authorizationText(engine.action, verdict)}`,
    xds: placeOf(verdict, at),
  });
}
