import { expect, test } from 'vitest';
import { isSaidElsewhere, parseLogLine, takenAddress } from './log.ts';

test('lines of the logger are told from others, and what was escaped is plain again', () => {
  expect(
    parseLogLine(String.raw`2026-11-29T05:08:08.402 info upstream lds: add/update listener \'http_proxy\'`),
  ).toEqual({
    level: 'info',
    component: 'upstream',
    text: "lds: add/update listener 'http_proxy'",
  });
  expect(parseLogLine(String.raw`2026-11-29T05:08:08.402 warning config one\ntwo\n`)?.text).toBe('one\ntwo');
  expect(parseLogLine('envoy: error while loading shared libraries')).toBeUndefined();
});

test('an address that somebody else has', () => {
  const text =
    "gRPC config for type.googleapis.com/envoy.config.listener.v3.Listener rejected: Error adding/updating listener(s) 127.64.0.2_8080: cannot bind '127.64.0.2:8080': Address already in use";
  expect(takenAddress(text)).toEqual({ address: '127.64.0.2', port: 8080 });
  expect(takenAddress("lds: add/update listener '127.64.0.2_8080'")).toBeUndefined();
});

test('what a person hears of otherwise is not said again', () => {
  const said = (level: string, text: string): boolean => isSaidElsewhere({ level, component: 'config', text });
  expect(said('warning', 'DeltaAggregatedResources gRPC config stream to xds closed: 14, ')).toBe(true);
  expect(said('warning', "lds: listener 'a' config rejected: bad")).toBe(true);
  expect(said('warning', 'caught ENVOY_SIGTERM')).toBe(true);
  expect(said('error', '#3 UNKNOWN [0x558dc036d13e]')).toBe(true);
  expect(said('warning', 'something else')).toBe(false);
  expect(said('critical', 'gRPC config stream')).toBe(false);
});
