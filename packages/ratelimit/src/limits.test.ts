import { describe, expect, test } from 'vitest';
import { ConfigError, readLimits } from './config.ts';
import { MemoryCounters } from './counters.ts';
import { shouldRateLimit, type RateLimitRequest } from './service.ts';
import { Stats } from './stats.ts';

const LIMITS = `
domain: shop
descriptors:
  - key: user
    rate_limit: { unit: minute, requests_per_unit: 2, name: per-user }
    descriptors:
      - key: path
        value: /pay
        rate_limit: { unit: hour, requests_per_unit: 1 }
  - key: user
    value: root
    rate_limit: { unlimited: true }
  - key: zip
    value: 10*
    rate_limit: { unit: second, requests_per_unit: 1 }
  - key: zip
    value: 101
    rate_limit: { unit: second, requests_per_unit: 3 }
  - key: trial
    shadow_mode: true
    rate_limit: { unit: day, requests_per_unit: 1 }
  - key: instead
    rate_limit: { unit: day, requests_per_unit: 9, replaces: [{ name: per-user }] }
  - key: each
    detailed_metric: true
    rate_limit: { unit: week, requests_per_unit: 10 }
`;

function service(text = LIMITS): {
  ask: (...descriptors: Record<string, string>[]) => Promise<unknown>;
  request: (request: RateLimitRequest) => ReturnType<typeof shouldRateLimit>;
  stats: Stats;
  at: (seconds: number) => void;
} {
  let now = 1_700_000_000;
  const limits = readLimits([{ name: 'limits.yaml', text }]);
  const counters = new MemoryCounters(() => now);
  const stats = new Stats();
  const request = (given: RateLimitRequest): ReturnType<typeof shouldRateLimit> =>
    shouldRateLimit(given, limits, counters, stats, now);
  return {
    request,
    stats,
    ask: async (...descriptors) => {
      const { overallCode, statuses } = await request({
        domain: 'shop',
        descriptors: descriptors.map((entries) => ({
          entries: Object.entries(entries).map(([key, value]) => ({ key, value })),
        })),
      });
      return [overallCode, ...statuses.map((status) => (status as { limitRemaining?: number }).limitRemaining)];
    },
    at: (seconds) => {
      now = seconds;
    },
  };
}

describe('which rule counts', () => {
  test('any value, until its window is over', async () => {
    const { ask, at } = service();
    expect(await ask({ user: 'a' })).toEqual(['OK', 1]);
    expect(await ask({ user: 'a' })).toEqual(['OK', 0]);
    expect(await ask({ user: 'a' })).toEqual(['OVER_LIMIT', 0]);
    expect(await ask({ user: 'b' })).toEqual(['OK', 1]);
    at(1_700_000_060);
    expect(await ask({ user: 'a' })).toEqual(['OK', 1]);
  });
  test('one value before any value', async () => {
    expect(await service().ask({ user: 'root' })).toEqual(['OK', 0xffffffff]);
  });
  test('a value before a prefix', async () => {
    const { ask } = service();
    expect(await ask({ zip: '101' })).toEqual(['OK', 2]);
    expect(await ask({ zip: '102' })).toEqual(['OK', 0]);
    expect(await ask({ zip: '200' })).toEqual(['OK', undefined]);
  });
  test('as deep as the descriptor is long', async () => {
    const { ask } = service();
    expect(await ask({ user: 'a', path: '/pay' })).toEqual(['OK', 0]);
    expect(await ask({ user: 'a', path: '/pay' })).toEqual(['OVER_LIMIT', 0]);
    expect(await ask({ user: 'a', path: '/' })).toEqual(['OK', undefined]);
    expect(await ask({ user: 'a', path: '/pay', more: '1' })).toEqual(['OK', undefined]);
  });
  test('several at once: one is enough to deny', async () => {
    const { ask } = service();
    await ask({ user: 'a' });
    await ask({ user: 'a' });
    expect(await ask({ user: 'b' }, { user: 'a' })).toEqual(['OVER_LIMIT', 1, 0]);
  });
  test('a limit in place of another', async () => {
    const { ask } = service();
    expect(await ask({ user: 'a' }, { instead: 'x' })).toEqual(['OK', undefined, 8]);
    expect(await ask({ user: 'a' })).toEqual(['OK', 1]);
  });
  test('only tried', async () => {
    const { ask, stats } = service();
    await ask({ trial: 'x' });
    expect(await ask({ trial: 'x' })).toEqual(['OK', 0]);
    expect(stats.text()).toContain('ratelimit.service.rate_limit.shop.trial.shadow_mode: 1\n');
  });
  test('counters by value where they are asked for', async () => {
    const { ask, stats } = service();
    await ask({ each: 'one' });
    await ask({ user: 'one' });
    expect(stats.text()).toBe(
      [
        'ratelimit.service.rate_limit.shop.each_one.total_hits: 1',
        'ratelimit.service.rate_limit.shop.each_one.within_limit: 1',
        'ratelimit.service.rate_limit.shop.user.total_hits: 1',
        'ratelimit.service.rate_limit.shop.user.within_limit: 1',
        '',
      ].join('\n'),
    );
  });
  test('a limit that the request brings, and how much it counts', async () => {
    const { request } = service();
    const asked = (hitsAddend?: string): RateLimitRequest => ({
      domain: 'shop',
      hitsAddend: 2,
      descriptors: [
        {
          entries: [{ key: 'x', value: 'y' }],
          limit: { requestsPerUnit: 5, unit: 'MINUTE' },
          ...(hitsAddend === undefined ? {} : { hitsAddend }),
        },
      ],
    });
    expect((await request(asked())).statuses).toEqual([
      {
        code: 'OK',
        currentLimit: { requestsPerUnit: 5, unit: 'MINUTE' },
        limitRemaining: 3,
        durationUntilReset: '40s',
      },
    ]);
    expect((await request(asked('4'))).overallCode).toBe('OVER_LIMIT');
  });
  test('nothing to count is an error', async () => {
    const { request } = service();
    await expect(request({ descriptors: [] })).rejects.toThrow('rate limit domain must not be empty');
    await expect(request({ domain: 'shop' })).rejects.toThrow('rate limit descriptor list must not be empty');
  });
  test('so is a limit of a request in a unit that is not counted in', async () => {
    const limit = { requestsPerUnit: 1, unit: 'MONTH' };
    const descriptors = [{ entries: [{ key: 'user', value: 'a' }], limit }];
    await expect(service().request({ domain: 'shop', descriptors })).rejects.toThrow('unit `MONTH`');
  });
});

test.each([
  ['', 'there is no domain'],
  ['domain: a\ndescriptors: 1', 'f: descriptors: must be a list'],
  ['descriptors: []', 'f: domain: must be a name'],
  ['domain: a\ndescriptors: [{}]', 'f: descriptors[0].key: must be a name'],
  ['domain: a\ndescriptors: [{key: b, vlaue: c}]', 'f: descriptors[0].vlaue: is not supported'],
  ['domain: a\ndescriptors: [{key: b}, {key: b}]', 'f: descriptors[1]: `b` is there twice'],
  [
    'domain: a\ndescriptors: [{key: b, rate_limit: {unit: month, requests_per_unit: 1}}]',
    'f: descriptors[0].rate_limit.unit: must be one of second, minute, hour, day, week',
  ],
  [
    'domain: a\ndescriptors: [{key: b, rate_limit: {unit: day, requests_per_unit: -1}}]',
    'f: descriptors[0].rate_limit.requests_per_unit: must be a whole number',
  ],
  [
    'domain: a\ndescriptors: [{key: b, rate_limit: {unit: day, unlimited: true}}]',
    'f: descriptors[0].rate_limit.unit: does not go with `unlimited`',
  ],
  ['domain: a\n---\ndomain: a', 'f: domain: `a` is there twice'],
])('%s is refused', (text, problem) => {
  const read = (): unknown => readLimits([{ name: 'f', text }]);
  expect(read).toThrow(ConfigError);
  expect(read).toThrow(problem);
});
