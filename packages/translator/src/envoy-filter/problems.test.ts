import { locator } from '@mizzen/api';
import { expect, it } from 'vitest';
import { modelOf, sidecar } from '../testing/fixture.ts';
import { translate } from '../translate.ts';
import { envoyFilterProblems } from './problems.ts';

const FILTER = `apiVersion: networking.istio.io/v1alpha3
kind: EnvoyFilter
metadata: { name: a, namespace: default }
spec:
  configPatches:
    - applyTo: CLUSTER
      patch:
        operation: ADD
        value:
          name: good
          conect_timeout: 1s
    - applyTo: CLUSTER
      patch:
        operation: ADD
        value:
          name: bad
          connect_timeout: soon
    - applyTo: LISTENER
      patch: { operation: REPLACE, value: { name: c } }
    - applyTo: HTTP_FILTER
      patch: { operation: REMOVE }
    - applyTo: NETWORK_FILTER
      match: { listener: { filterChain: { filter: { name: envoy.filters.network.http_connection_manager } } } }
      patch:
        operation: MERGE
        value:
          typed_config:
            '@type': type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager
            merge_slashes: false
`;

it('each patch that does not fit, or does nothing, has its line; the others are applied', () => {
  const model = modelOf(FILTER);
  const locate = locator(model.snapshot);
  const found = envoyFilterProblems(model.snapshot).map(({ code, severity, message, ref, path = [], help }) => {
    return `${locate(ref!, path)?.line} ${severity} ${code} ${message} | ${help}`;
  });
  expect(found).toEqual([
    "11 warning MZ1208 `conect_timeout` is no field of Envoy's `Cluster` | it is left out; did you mean `connectTimeout`?",
    '17 error MZ1018 `soon` is not a duration in seconds, as `1.5s` | the patch is left out',
    '19 warning MZ1202 operation `REPLACE` does nothing for `LISTENER` | it changes nothing in Istio, either',
    '21 warning MZ1202 operation `REMOVE` does nothing for `HTTP_FILTER` unless `match.listener.filterChain.filter.subFilter` names one | it changes nothing in Istio, either',
    '29 warning MZ1202 `merge_slashes` is at its default, which is the same as leaving it out | merging does not set it; replace what holds it, or remove that and add it anew',
  ]);
  const names = translate(model, sidecar()).resources.clusters.map(({ name }) => name);
  expect(names).toContain('good');
  expect(names).not.toContain('bad');
});
