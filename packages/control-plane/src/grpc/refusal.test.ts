import { TypeUrl } from '@mizzen/xds';
import { expect, test } from 'vitest';
import { refusedResources } from './refusal.ts';

test('listeners are told apart by their names, whatever the reasons contain', () => {
  const message =
    'Error adding/updating listener(s) 0.0.0.0_80: cannot bind: Address already in use\nvirtualInbound: bad 0.0.0.0_443: x\n';
  expect(refusedResources(TypeUrl.listener, message, ['virtualInbound', '0.0.0.0_80', '0.0.0.0_443'])).toEqual([
    { resource: '0.0.0.0_80', field: '', message: 'cannot bind: Address already in use' },
    { resource: 'virtualInbound', field: '', message: 'bad 0.0.0.0_443: x' },
  ]);
});

test('clusters, too, and of two names the one that is there is meant', () => {
  const message =
    'Error adding/updating cluster(s) outbound|80||a: no, really: nothing, outbound|80||a.b: eds_cluster_config set in a non-EDS cluster';
  const names = ['outbound|80||a', 'outbound|80||a.b', 'b'];
  expect(refusedResources(TypeUrl.cluster, message, names)).toEqual([
    { resource: 'outbound|80||a', field: '', message: 'no, really: nothing' },
    { resource: 'outbound|80||a.b', field: '', message: 'eds_cluster_config set in a non-EDS cluster' },
  ]);
});

test('the only resource of a response is the one meant, with its field where Envoy says it', () => {
  const message =
    'Proto constraint validation failed (RouteConfigurationValidationError.VirtualHosts[0]: embedded message failed validation | caused by VirtualHostValidationError.Domains: value must contain at least 1 item(s)): name: "80"';
  expect(refusedResources(TypeUrl.route, message, ['80'])).toEqual([
    { resource: '80', field: 'virtualHosts[0].domains', message },
  ]);
});

test('a message that names none of several resources may mean all of them', () => {
  expect(refusedResources(TypeUrl.route, 'route: unknown cluster', ['80', '443'])).toBeUndefined();
  expect(refusedResources(TypeUrl.cluster, 'Proto constraint validation failed', ['a', 'b'])).toBeUndefined();
});
