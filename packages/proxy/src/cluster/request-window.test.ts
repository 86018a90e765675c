import { expect, test } from 'vitest';
import { ManualClock } from '../filter/testing/manual-clock.ts';
import { ClusterCircuitBreaker } from './circuit-breaker.ts';
import { RequestWindow } from './request-window.ts';

test('requests count until their tenth of the interval is the eleventh', () => {
  const clock = new ManualClock();
  clock.advance(12_345_000 - clock.now());
  const window = new RequestWindow(1000, clock);
  window.add();
  clock.advance(99);
  window.add();
  clock.advance(1);
  window.add();
  expect(window.count).toBe(3);
  clock.advance(899);
  expect(window.count).toBe(3);
  clock.advance(1);
  expect(window.count).toBe(1);
  window.add();
  clock.advance(100);
  expect(window.count).toBe(1);
  clock.advance(1_000_000);
  expect(window.count).toBe(0);
});

test('a budget with an interval allows retries by the requests that began in it, and by no others', () => {
  const clock = new ManualClock();
  const breaker = new ClusterCircuitBreaker(
    {
      maxConnections: 1,
      maxPendingRequests: 1,
      maxRequests: 100,
      maxRetries: 0,
      trackRemaining: false,
      retryBudget: { fraction: 0.5, minConcurrency: 0, interval: 1000 },
    },
    clock,
  );
  breaker.tryRequest();
  expect(breaker.tryRetry()).toBe(false);
  breaker.tryRequest();
  breaker.releaseRequest();
  breaker.releaseRequest();
  expect(breaker.tryRetry()).toBe(true);
  expect(breaker.tryRetry()).toBe(false);
  breaker.releaseRetry();
  // Those that are under way for longer do not count.
  breaker.tryRequest();
  breaker.tryRequest();
  clock.advance(1000);
  expect(breaker.tryRetry()).toBe(false);
});
