import type { types } from '@mizzen/xds';
import type { CompileContext } from '../context.ts';
import type { Path } from '../path.ts';

/** Refuses routes that lead to clusters that are not there, as Envoy does for configurations within listeners. */
export function refuseUnknownClusters(
  context: CompileContext,
  config: types.route.RouteConfiguration,
  path: Path,
): void {
  const { hasCluster } = context.deps;
  if (hasCluster === undefined || config.validateClusters === false) return;
  const check = (name: string | undefined, at: Path): void => {
    if (name !== undefined && name !== '' && !hasCluster(name))
      context.refuse(at, `there is no cluster \`${name}\` (\`validateClusters: false\` leaves that to each request)`);
  };
  const checkMirrors = (
    policies: readonly types.route.RouteAction_RequestMirrorPolicy[] | undefined,
    at: Path,
  ): void => {
    for (const [i, { cluster }] of (policies ?? []).entries())
      check(cluster, [...at, 'requestMirrorPolicies', i, 'cluster']);
  };
  checkMirrors(config.requestMirrorPolicies, path);
  (config.virtualHosts ?? []).forEach((host, i) => {
    checkMirrors(host.requestMirrorPolicies, [...path, 'virtualHosts', i]);
    (host.routes ?? []).forEach(({ route }, j) => {
      if (route === undefined) return;
      const at = [...path, 'virtualHosts', i, 'routes', j, 'route'];
      check(route.cluster, [...at, 'cluster']);
      (route.weightedClusters?.clusters ?? []).forEach(({ name }, k) =>
        check(name, [...at, 'weightedClusters', 'clusters', k, 'name']),
      );
      checkMirrors(route.requestMirrorPolicies, at);
    });
  });
}
