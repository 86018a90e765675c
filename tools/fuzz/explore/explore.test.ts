import { expect, test } from 'vitest';
import { isPipelined, ofBytes, ofLog } from './known.ts';
import { kindOf, unitOf } from './explore.ts';
import { clustersOf, listenerOf } from './unit.ts';

test('a unit depends on seed and number only', () => {
  for (let number = 0; number < 20; number++) expect(unitOf(5, number)).toEqual(unitOf(5, number));
  expect(unitOf(5, 0)).not.toEqual(unitOf(5, 1));
  expect(unitOf(5, 0)).not.toEqual(unitOf(6, 0));
});

test('units have every part of the grammar in them', () => {
  const all = JSON.stringify(Array.from({ length: 400 }, (_, number) => unitOf(1, number)));
  const parts = ['internalRedirectPolicy', 'weightedClusters', 'RBACPerRoute', 'hashPolicy', 'localReplyConfig'];
  parts.push(
    'jwt_authn.v3.PerRouteConfig',
    'authorizationResponse',
    'orMatcher',
    'StatefulSessionPerRoute',
    'rateLimits',
  );
  for (const part of [...parts, 'Transfer-Encoding: chunked', 'x-envoy-upstream-rq-timeout-ms', 'HTTP/1.0', 'early:'])
    expect(all).toContain(part);
});

test('a unit becomes a listener and clusters of its own', () => {
  const unit = unitOf(1, 0);
  expect(listenerOf(unit)).toMatchObject({ name: 'UNIT' });
  expect(clustersOf(unit)).toHaveLength(6);
});

test('what the moment decides is taken out, and what is said stays', () => {
  const ports = new Map([['u3a', 20_123]]);
  expect(ofBytes('host: a:20123\r\ndate: Mon, 30 Nov 2026 07:00:00 GMT\r\n', ports)).toBe(
    'host: a:PORT-OF-a\r\ndate: DATE\r\n',
  );
  expect(ofLog('@127.77.0.1 200 <12> 12', ports)).toBe('@CLIENT 200 <N> 12');
  expect(isPipelined(new Map([['log 0', 'codec_error:Too_many_responses_queued.']]))).toBe(true);
  expect(isPipelined(new Map([['log 0', '200']]))).toBe(false);
});

test('a kind of difference is told by what differs, whichever connection it is about', () => {
  const difference = (what: string) => ({ what, envoy: 'a', mizzen: 'b' });
  expect(kindOf([difference('log 3'), difference('answer 11'), difference('log 1')])).toBe('answer, log');
});
