import { expect, test } from 'vitest';
import { normalizeMessage } from './normalize.ts';

const VS = 'istio.networking.v1alpha3.VirtualService';

test('a message that needs nothing stays the identical object', () => {
  const spec = { hosts: ['a'], http: [{ timeout: '5s', retries: { attempts: 3, perTryTimeout: '0.25s' } }] };
  expect(normalizeMessage(spec, VS)).toBe(spec);
});

test('original names, nulls and other ways to write a duration', () => {
  const spec = {
    hosts: ['a'],
    tcp: null,
    http: [
      {
        mirror_percentage: { value: 5 },
        timeout: '1m30s',
        retries: { per_try_timeout: '250ms' },
        headers: { request: { set: { x_my_header: '1h', other: 'x' } } },
        no_such_field: 1,
      },
    ],
  };
  expect(normalizeMessage(spec, VS)).toEqual({
    hosts: ['a'],
    http: [
      {
        mirrorPercentage: { value: 5 },
        timeout: '90s',
        retries: { perTryTimeout: '0.25s' },
        headers: { request: { set: { x_my_header: '1h', other: 'x' } } },
        no_such_field: 1,
      },
    ],
  });
});

test('free-form values are nobody else’s business', () => {
  const value = { typed_config: { '@type': 'x', idle_timeout: '1m', nothing: null } };
  const spec = { config_patches: [{ patch: { value } }] };
  expect(normalizeMessage(spec, 'istio.networking.v1alpha3.EnvoyFilter')).toEqual({
    configPatches: [{ patch: { value } }],
  });
});
