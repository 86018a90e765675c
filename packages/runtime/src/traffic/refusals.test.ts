import type { RequestTraffic } from '@mizzen/proxy/process/protocol.ts';
import { expect, test } from 'vitest';
import { Refusals } from './refusals.ts';

const traffic = (source: string, clientErrors: number): RequestTraffic => ({
  reporter: 'source',
  source,
  sourceNamespace: 'istio-system',
  service: 'unknown',
  destination: 'unknown',
  destinationNamespace: 'unknown',
  version: 'unknown',
  requests: 10,
  errors: 0,
  clientErrors,
  times: [],
});

test('what was refused counts from when it is reported until it is older than what is asked for', () => {
  const refusals = new Refusals();
  const of = ({ source }: RequestTraffic): string | undefined => (source === 'web' ? undefined : source);
  refusals.add([traffic('gate', 3), traffic('gate', 1), traffic('web', 5), traffic('quiet', 0)], 1000, of);
  expect([...refusals.since(0)]).toEqual([['gate', 4]]);
  refusals.add([traffic('gate', 2), traffic('other', 1)], 2000, of);
  expect([...refusals.since(999)]).toEqual([
    ['gate', 6],
    ['other', 1],
  ]);
  expect([...refusals.since(1000)]).toEqual([
    ['gate', 2],
    ['other', 1],
  ]);
  refusals.add([], 301_500, of);
  expect([...refusals.since(0)]).toEqual([
    ['gate', 2],
    ['other', 1],
  ]);
  refusals.add([], 302_000, of);
  expect([...refusals.since(0)]).toEqual([]);
});
