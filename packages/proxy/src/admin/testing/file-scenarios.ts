import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { TYPE } from '../../filter/testing/beside.ts';
import { listener, routeTo, socketAddress } from '../../process/testing/bootstraps.ts';
import type { Scenario } from './stats-beside.ts';
import { get, http } from './scenario-parts.ts';

/** Resources that come from files. */
export const FILES: readonly Scenario[] = [
  {
    name: 'resources from files',
    config: (port, up) => {
      const folder = mkdtempSync(join(tmpdir(), 'mizzen-stats-'));
      const file = (name: string, type: string, ...resources: readonly object[]): object => {
        const path = join(folder, name);
        const typed = resources.map((resource) => ({ '@type': `${TYPE}${type}`, ...resource }));
        writeFileSync(path, JSON.stringify({ versionInfo: `${name}-1`, resources: typed }));
        return { resourceApiVersion: 'V3', pathConfigSource: { path } };
      };
      const endpoints = {
        clusterName: 'eds',
        endpoints: [{ lbEndpoints: [{ endpoint: { address: socketAddress(up) } }] }],
      };
      const eds = file('eds.json', 'envoy.config.endpoint.v3.ClusterLoadAssignment', endpoints);
      const routes = { name: 'routes', virtualHosts: [{ name: 'all', domains: ['*'], routes: [routeTo('eds')] }] };
      const rds = file('rds.json', 'envoy.config.route.v3.RouteConfiguration', routes);
      const manager = http([], { routeConfig: undefined, rds: { routeConfigName: 'routes', configSource: rds } });
      return {
        node: { id: 'n', cluster: 'c' },
        dynamicResources: {
          cdsConfig: file('cds.json', 'envoy.config.cluster.v3.Cluster', {
            name: 'eds',
            type: 'EDS',
            edsClusterConfig: { edsConfig: eds },
          }),
          ldsConfig: file('lds.json', 'envoy.config.listener.v3.Listener', listener(port, [{ filters: [manager] }])),
        },
      };
    },
    asks: [get(), get('/', 'x-answer: 500')],
  },
];
