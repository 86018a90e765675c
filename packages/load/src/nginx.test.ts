import { freePort } from '@mizzen/testkit';
import { expect, test } from 'vitest';
import { loadOf } from './testing/load.ts';
import { startNginx } from './testing/nginx.ts';

const SERVER = `
  location / { return 200 "hello\\n"; }
  location /missing { return 404; }
  location /here { return 302 /there; }`;

const tally = (lines: readonly string[]): Readonly<Record<string, number>> => {
  const counts: Record<string, number> = {};
  for (const line of lines) counts[line] = (counts[line] ?? 0) + 1;
  return counts;
};

test.each(['http1', 'http2'])('%s: what nginx logged is what was sent', async (protocol) => {
  const port = await freePort();
  const nginx = await startNginx(port, `listen 127.0.0.1:${port} ${protocol === 'http2' ? 'http2' : ''}; ${SERVER}`);
  const load = loadOf(
    `
target: http://127.0.0.1:${port}
protocol: ${protocol}
scenarios:
  read: { weight: 3, steps: [{ url: /a, expect: { contains: hello } }, { url: /b }] }
  miss: { weight: 1, steps: [{ url: /missing }] }
  follow: { weight: 1, steps: [{ url: /here, redirects: 1 }] }
`,
    { rate: 300, seconds: 2 },
  );
  await load.prepare();
  const { requests, steps, arrivals } = await load.start();
  const version = protocol === 'http2' ? 'HTTP/2.0' : 'HTTP/1.1';
  const logged = tally(await nginx.stop(requests.sent));
  const sent = (name: string): number => steps.find(({ step }) => step === name)!.sent;
  expect(logged).toEqual({
    [`GET /a 200 ${version}`]: sent('1 GET /a'),
    [`GET /b 200 ${version}`]: sent('2 GET /b'),
    [`GET /missing 404 ${version}`]: sent('1 GET /missing'),
    [`GET /here 302 ${version}`]: sent('1 GET /here') / 2,
    [`GET /there 200 ${version}`]: sent('1 GET /here') / 2,
  });
  expect(arrivals).toMatchObject({ due: 600, started: 600, dropped: 0 });
  expect(requests.errors).toBe(logged[`GET /missing 404 ${version}`]);
  expect(requests.causes).toEqual({ 'status 404': requests.errors });
  // Three to one, one: within chance.
  expect(sent('1 GET /a')).toBeGreaterThan(300);
  expect(sent('1 GET /a')).toBeLessThan(420);
});

test('chaos: every request that nginx saw was counted, and none fails for want of care', async () => {
  const port = await freePort();
  // The second half of an answer comes a second after the first, so that there is something to break off.
  const slow = `location = /slow { limit_rate 500; return 200 "${'x'.repeat(1000)}"; }`;
  const nginx = await startNginx(port, `listen 127.0.0.1:${port}; ${SERVER} ${slow}`);
  const load = loadOf(`{ target: "http://127.0.0.1:${port}", scenarios: { a: { steps: [{ url: /slow }] } } }`, {
    mode: 'chaos',
    rate: 150,
    seconds: 3,
  });
  await load.prepare();
  const { requests } = await load.start();
  const logged = await nginx.stop(requests.sent);
  expect(new Set(logged.map((line) => line.split(' ')[0])).size).toBeGreaterThan(4);
  expect(requests.aborted).toBeGreaterThan(0);
  expect(requests.sent).toBe(logged.length);
});
