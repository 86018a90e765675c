import type { Path } from '@mizzen/diagnostics';
import type { EnvoyFilter, EnvoyFilter_EnvoyConfigObjectPatch } from '../gen/istio.networking.v1alpha3.ts';
import type { Resource } from '../resource.ts';
import { checkSelector, checkTargeting } from './checks/labels.ts';
import { checkPort } from './checks/numbers.ts';
import { regexProblem } from './checks/text.ts';
import { BAD_VALUE, CONFLICT, NO_EFFECT, REQUIRED, SUSPICIOUS } from './report.ts';
import type { Report } from './report.ts';

type ConfigPatch = EnvoyFilter_EnvoyConfigObjectPatch;
type Match = NonNullable<ConfigPatch['match']>;

export function checkEnvoyFilter({ spec }: Resource<EnvoyFilter>, report: Report): void {
  report.warn(
    SUSPICIOUS,
    ['kind'],
    "an EnvoyFilter changes Istio's internals, which any version may do differently",
    'prefer another kind where one does the same',
  );
  const { workloadSelector, targetRefs } = spec;
  if (workloadSelector) {
    const everything = 'every proxy in the namespace';
    checkSelector(report, ['spec', 'workloadSelector', 'labels'], workloadSelector.labels, everything);
    if (!report.isClean) return;
    if (targetRefs?.length) {
      report.error(CONFLICT, ['spec', 'targetRefs'], 'only one of `targetRefs` and `workloadSelector` can be set');
    }
  }
  checkTargeting(report, ['spec'], { targetRefs });
  spec.configPatches?.forEach((patch, i) => checkPatch(report, ['spec', 'configPatches', i], patch));
}

function checkPatch(report: Report, path: Path, { applyTo = 'INVALID', match, patch }: ConfigPatch): void {
  if (match) checkContext(report, [...path, 'match'], match);
  const { operation = 'INVALID', value } = patch ?? {};
  if (applyTo === 'INVALID') report.error(REQUIRED, path, 'a patch needs `applyTo`');
  else if (match?.context === 'WAYPOINT') report.warn(NO_EFFECT, path, 'there are no waypoints here to patch');
  else if (!patch) report.error(REQUIRED, path, 'a `patch` is required');
  else if (operation === 'INVALID') report.error(REQUIRED, [...path, 'patch'], 'a patch needs an `operation`');
  else if (operation !== 'REMOVE' && value === undefined) {
    report.error(REQUIRED, [...path, 'patch'], `operation \`${operation}\` needs a \`value\``);
  } else if (match) checkMatch(report, [...path, 'match'], applyTo, match);
}

function checkContext(report: Report, path: Path, { context, waypoint }: Match): void {
  if (!waypoint) return;
  if (context !== 'WAYPOINT') {
    report.error(
      CONFLICT,
      [...path, 'waypoint'],
      '`waypoint` can be matched in context `WAYPOINT` only',
      undefined,
      'key',
    );
  }
  if (waypoint.portNumber !== undefined) checkPort(report, [...path, 'waypoint', 'portNumber'], waypoint.portNumber);
}

const OBJECTS = ['listener', 'routeConfiguration', 'cluster', 'waypoint'] as const;
/** What a patch of each kind can be matched by. */
const MATCHED_BY: Readonly<Record<string, (typeof OBJECTS)[number]>> = {
  LISTENER: 'listener',
  FILTER_CHAIN: 'listener',
  NETWORK_FILTER: 'listener',
  HTTP_FILTER: 'listener',
  ROUTE_CONFIGURATION: 'routeConfiguration',
  VIRTUAL_HOST: 'routeConfiguration',
  HTTP_ROUTE: 'routeConfiguration',
  CLUSTER: 'cluster',
};

function checkMatch(report: Report, path: Path, applyTo: string, match: Match): void {
  const version = match.proxy?.proxyVersion;
  const problem = version ? regexProblem(version) : undefined;
  if (problem !== undefined) {
    const at = [...path, 'proxy', 'proxyVersion'];
    report.error(BAD_VALUE, at, `\`${version}\` is not a regular expression: ${problem}`);
    return;
  }
  const wanted = MATCHED_BY[applyTo];
  const given = OBJECTS.find((object) => match[object] !== undefined);
  if (wanted && given && given !== wanted && given !== 'waypoint') {
    const message = `a patch of \`${applyTo}\` is matched by \`${wanted}\`, not by \`${given}\``;
    report.error(CONFLICT, [...path, given], message, undefined, 'key');
    return;
  }
  if (wanted === 'listener') checkFilterMatch(report, path, applyTo, match);
}

const MANAGERS = ['envoy.filters.network.http_connection_manager', 'envoy.http_connection_manager'];

function checkFilterMatch(report: Report, path: Path, applyTo: string, match: Match): void {
  const filter = match.listener?.filterChain?.filter;
  if (!filter) return;
  const at = [...path, 'listener', 'filterChain', 'filter'];
  if (applyTo === 'LISTENER' || applyTo === 'FILTER_CHAIN') {
    report.warn(NO_EFFECT, at, `a \`filter\` match means nothing for \`${applyTo}\``, undefined, 'key');
  }
  const { name, subFilter } = filter;
  if (!name) report.error(REQUIRED, at, 'a filter match needs a `name`');
  else if (subFilter) {
    const sub = [...at, 'subFilter'];
    if (applyTo !== 'HTTP_FILTER')
      report.error(CONFLICT, sub, '`subFilter` is for `HTTP_FILTER` only', undefined, 'key');
    else if (!MANAGERS.includes(name)) {
      report.error(CONFLICT, sub, `\`subFilter\` needs filter \`${MANAGERS[0]}\`, not \`${name}\``, undefined, 'key');
    } else if (!subFilter.name) report.error(REQUIRED, sub, 'a filter match needs a `name`');
  }
}
