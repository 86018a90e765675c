import { expect, test } from 'vitest';
import { TaggedStats, type Tags } from '../telemetry/tagged.ts';
import { RequestMeter } from './requests.ts';

const tags = (code: string, more: Tags = []): Tags => [
  ['reporter', 'destination'],
  ['source_workload', 'front'],
  ['source_workload_namespace', 'shop'],
  ['destination_workload', 'orders-v2'],
  ['destination_workload_namespace', 'shop'],
  ['destination_service', 'orders.shop.svc.cluster.local'],
  ['destination_version', 'v2'],
  ['response_code', code],
  ...more,
];
const TOTAL = 'istiocustom.istio_requests_total';
const DURATION = 'istiocustom.istio_request_duration_milliseconds';

test('tells what has come since, by who sent and who answered', () => {
  const tagged = new TaggedStats();
  const meter = new RequestMeter();
  tagged.get('counter', TOTAL, tags('200')).counter.value = 5;
  tagged.get('counter', TOTAL, tags('503')).counter.value = 2;
  tagged.get('counter', TOTAL, tags('403')).counter.value = 1;
  tagged.get('counter', TOTAL, tags('200', [['grpc_response_status', '14']])).counter.value = 1;
  tagged.get('counter', TOTAL, tags('200', [['grpc_response_status', '5']])).counter.value = 1;
  for (const ms of [3, 3, 40]) tagged.get('histogram', DURATION, tags('200')).histogram!.record(ms);
  tagged.get('histogram', DURATION, tags('503')).histogram!.record(3);
  const parties = {
    reporter: 'destination',
    source: 'front',
    sourceNamespace: 'shop',
    service: 'orders.shop.svc.cluster.local',
    destination: 'orders-v2',
    destinationNamespace: 'shop',
    version: 'v2',
  };
  const times = [
    [3.05, 3],
    [40.5, 1],
  ];
  expect(meter.since(tagged)).toEqual([{ ...parties, requests: 10, errors: 3, clientErrors: 2, times }]);
  expect(meter.since(tagged)).toEqual([]);
  tagged.get('counter', TOTAL, tags('200')).counter.value = 6;
  tagged.get('histogram', DURATION, tags('200')).histogram!.record(40);
  expect(meter.since(tagged)).toEqual([{ ...parties, requests: 1, errors: 0, clientErrors: 0, times: [[40.5, 1]] }]);
});
