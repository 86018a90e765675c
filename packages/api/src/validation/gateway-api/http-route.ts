import type { Path } from '@mizzen/diagnostics';
import type { HTTPRouteRule, HTTPRouteSpec, ParentRef } from '../../gateway-api.ts';
import type { Resource } from '../../resource.ts';
import { checkPort } from '../checks/numbers.ts';
import { parseDuration } from '../duration.ts';
import { CONFLICT, DUPLICATE, NO_EFFECT, OUT_OF_RANGE, REQUIRED } from '../report.ts';
import type { Report } from '../report.ts';
import { checkShape } from '../shape.ts';
import { checkBackendRef } from './backend-ref.ts';
import { checkFilters } from './filters.ts';
import { checkHostname } from './hostnames.ts';
import { checkMatch } from './match.ts';
import { requireAll } from './required.ts';
import { HTTP_ROUTE } from './shapes.ts';

const MAX_WEIGHT = 1_000_000;

/** What the API server asks of an HTTPRoute, and what istiod would leave all of it out for. */
export function checkKubernetesHttpRoute({ spec: written }: Resource<HTTPRouteSpec>, report: Report): void {
  checkShape(report, ['spec'], written, HTTP_ROUTE);
  if (!report.isClean) return;
  // The type says what a valid resource has; this one may lack it.
  const spec = written as HTTPRouteSpec | undefined;
  if (spec === undefined) {
    report.error(REQUIRED, [], 'an HTTPRoute needs a `spec`');
    return;
  }
  checkParents(report, spec.parentRefs ?? []);
  (spec.hostnames ?? []).forEach((host, index) => checkHostname(report, ['spec', 'hostnames', index], host));
  const names = new Set<string>();
  (spec.rules ?? []).forEach((rule, index) => {
    const path = ['spec', 'rules', index];
    checkRule(report, path, rule);
    if (rule.name === undefined) return;
    if (names.has(rule.name)) report.error(DUPLICATE, [...path, 'name'], `there are two rules named \`${rule.name}\``);
    names.add(rule.name);
  });
}

function checkParents(report: Report, parents: readonly ParentRef[]): void {
  if (parents.length === 0) {
    const help = 'name a Gateway, or a Service of the mesh';
    report.warn(NO_EFFECT, ['spec'], 'without `parentRefs` the route is attached to nothing', help);
  }
  const known = new Set<string>();
  parents.forEach((parent, index) => {
    const path = ['spec', 'parentRefs', index];
    if (!requireAll(report, path, parent, 'a reference to a parent', 'name')) return;
    if (parent.port !== undefined) checkPort(report, [...path, 'port'], parent.port);
    const { group, kind, namespace, name, sectionName, port } = parent;
    const key = JSON.stringify([group, kind, namespace, name, sectionName, port]);
    if (known.has(key)) report.error(DUPLICATE, path, `the same parent, \`${name}\`, is named twice`);
    known.add(key);
  });
}

function checkRule(report: Report, path: Path, rule: HTTPRouteRule): void {
  const { matches = [], filters = [], backendRefs = [], timeouts, retry } = rule;
  matches.forEach((match, index) => checkMatch(report, [...path, 'matches', index], match));
  checkFilters(report, [...path, 'filters'], filters, matches);
  if (filters.some(({ type }) => type === 'RequestRedirect') && backendRefs.length > 0) {
    const message = 'a rule that redirects sends nothing on: it cannot have `backendRefs`';
    report.error(CONFLICT, [...path, 'backendRefs'], message, undefined, 'key');
  }
  backendRefs.forEach((backend, index) => {
    const at = [...path, 'backendRefs', index];
    checkBackendRef(report, at, backend);
    if (backend.weight !== undefined && (backend.weight < 0 || backend.weight > MAX_WEIGHT)) {
      const message = `weight \`${backend.weight}\` must be between 0 and ${MAX_WEIGHT}`;
      report.error(OUT_OF_RANGE, [...at, 'weight'], message);
    }
    checkFilters(report, [...at, 'filters'], backend.filters ?? [], matches, true);
  });
  const request = checkTime(report, [...path, 'timeouts', 'request'], timeouts?.request);
  const attempt = checkTime(report, [...path, 'timeouts', 'backendRequest'], timeouts?.backendRequest);
  if (request && attempt && attempt > request) {
    report.error(CONFLICT, [...path, 'timeouts', 'backendRequest'], '`backendRequest` cannot be longer than `request`');
  }
  checkTime(report, [...path, 'retry', 'backoff'], retry?.backoff);
  if ((retry?.attempts ?? 0) < 0) report.error(OUT_OF_RANGE, [...path, 'retry', 'attempts'], '`attempts` is negative');
  (retry?.codes ?? []).forEach((code, index) => {
    if (code >= 400 && code <= 599) return;
    report.error(OUT_OF_RANGE, [...path, 'retry', 'codes', index], `\`${code}\` is not between 400 and 599`);
  });
}

/** Milliseconds in a duration of the Gateway API, which knows no fractions and no units below a millisecond. */
function checkTime(report: Report, path: Path, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (/^(?:\d{1,5}(?:h|m|s|ms)){1,4}$/.test(text)) return parseDuration(text);
  report.error('MZ1004', path, `\`${text}\` is not a duration`, 'whole numbers with units: `5s`, `250ms`, `1h30m`');
  return undefined;
}
