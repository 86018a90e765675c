import { expect, test } from 'vitest';
import { CompileContext } from '../program/context.ts';
import { testDeps } from '../program/testing/deps.ts';
import { compileLoadStats } from './program.ts';

const PATH = ['clusterManager', 'loadStatsConfig'];

function compile(config: Parameters<typeof compileLoadStats>[1]): [unknown, readonly string[]] {
  const context = new CompileContext('', 'bootstrap', testDeps);
  const program = compileLoadStats(context, config, PATH, new Set(['told']));
  return [program, context.nacks.map(({ field, message }) => `${field}: ${message}`)];
}

test('without a service nobody is told, which is no mistake', () => {
  expect(compile(undefined)).toEqual([undefined, []]);
  expect(compile({ apiType: 'GRPC', transportApiVersion: 'V3' })).toEqual(['nobody', []]);
});

test('a service is a static cluster that is spoken to over gRPC', () => {
  const service = { envoyGrpc: { clusterName: 'told' }, initialMetadata: [{ key: 'Who', value: 'me' }] };
  expect(compile({ apiType: 'GRPC', transportApiVersion: 'V3', grpcServices: [service] })).toEqual([
    { cluster: 'told', authority: 'told', metadata: [['who', 'me']], skipEnvoyHeaders: false },
    [],
  ]);
  const other = { envoyGrpc: { clusterName: 'other' } };
  expect(compile({ apiType: 'REST', transportApiVersion: 'V3', grpcServices: [other] })[1]).toEqual([
    'clusterManager.loadStatsConfig.apiType: must be GRPC or DELTA_GRPC',
    'clusterManager.loadStatsConfig.grpcServices[0].envoyGrpc.clusterName: there is no static cluster `other`',
  ]);
});
