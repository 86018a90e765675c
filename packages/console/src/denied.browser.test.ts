import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openBrowser, openPage, screenshot, violationsOf } from './testing/browser.ts';
import { FRONT_GATEWAY, webManifests } from './testing/manifests.ts';
import { Mesh } from './testing/mesh.ts';

const FILES = {
  'web.yaml': webManifests(', version: v1'),
  'routes.yaml': `${FRONT_GATEWAY}apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: front }
spec: { hosts: ['*'], gateways: [front], http: [{ route: [{ destination: { host: web } }] }] }
`,
  'denied.yaml': `apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: { name: no-secrets }
spec: { selector: { matchLabels: { app: web } }, action: DENY, rules: [{ to: [{ operation: { paths: [/secret] } }] }] }
---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: { name: no-admin, namespace: istio-system }
spec:
  selector: { matchLabels: { istio: ingressgateway } }
  action: DENY
  rules: [{ to: [{ operation: { paths: [/admin] } }] }]
`,
};

let browser: Browser;
let mesh: Mesh;
beforeAll(async () => {
  [browser, mesh] = await Promise.all([openBrowser(), Mesh.start(FILES)]);
}, 120_000);
afterAll(async () => {
  await Promise.all([browser?.close(), mesh?.stop()]);
});
/** Ten that are answered, five that the sidecar denies, and as many that get no further than the gateway. */
async function send(): Promise<void> {
  for (let i = 0; i < 10; i++) expect(await mesh.ask('/')).toBe(200);
  for (let i = 0; i < 5; i++) expect(await mesh.ask('/secret')).toBe(403);
  for (let i = 0; i < 5; i++) expect(await mesh.ask('/admin')).toBe(403);
}
/** Again and again, as rates are of the last half minute. */
async function sending<T>(work: () => Promise<T>): Promise<T> {
  let ended = false;
  const load = (async () => {
    while (!ended) await send();
  })();
  try {
    return await work();
  } finally {
    ended = true;
    await load;
  }
}

test('before anything is counted, it is said what counts', async () => {
  const { page, context } = await openPage(browser, `${mesh.console}/#/services`);
  await page.getByText('These are Istio’s metrics').waitFor();
  expect(await page.getByRole('row', { name: /^istio-ingressgateway/ }).textContent()).toMatch(/HTTP1–/);
  expect(await violationsOf(page)).toEqual([]);
  await context.close();
});

test('what is denied is a class of its own in the graph, and can be looked for', async () => {
  await sending(async () => {
    const { page, context, complaints } = await openPage(browser, mesh.console);
    const label = page.locator('.edge-label');
    await expect.poll(() => label.first().textContent()).toMatch(/\d+% 4xx/);
    // An eye on it, but nothing is failing.
    await page.locator('.node.degraded[data-id$="/web"]').waitFor();
    expect(await page.locator('.node.failing').count()).toBe(0);
    await page.getByRole('combobox', { name: 'Health' }).selectOption({ label: 'With client errors (4xx)' });
    await page.locator('.node[data-id$="/web"]:not(.faint)').waitFor();
    await page.getByRole('combobox', { name: 'Health' }).selectOption('');
    await page.locator('.node[data-id$="/web"]').click();
    const details = page.getByRole('complementary', { name: 'Details' });
    await details.locator('figure', { hasText: /Client errors \(4xx\)\d+%/ }).waitFor();
    expect(await details.locator('figure', { hasText: 'Failing' }).textContent()).toContain('0%');
    expect(await details.locator('td.refused').textContent()).toMatch(/^\d+%$/);
    // A third of what goes on from the gateway is denied, and of what comes to it, half.
    const shareOf = async (name: string): Promise<number> => {
      const words = await page.locator(`.node[data-id$="/${name}"]`).getAttribute('aria-label');
      return Number(/([\d.]+)% client errors/.exec(words ?? '')?.[1] ?? 0);
    };
    await expect.poll(() => shareOf('istio-ingressgateway')).toBeGreaterThan(38);
    expect(await shareOf('web')).toBeLessThan(38);
    await screenshot(page, 'denied-graph');
    expect(await violationsOf(page)).toEqual([]);
    expect(complaints).toEqual([]);
    await context.close();
  });
}, 120_000);

test('charts, lists of services and traces tell denials from failures', async () => {
  await send();
  const { page, context, complaints } = await openPage(
    browser,
    `${mesh.console}/#/service?host=web.default.svc.cluster.local`,
  );
  const table = page.getByRole('table', { name: 'Requests by version: the last five minutes' });
  await expect.poll(() => table.getByRole('row', { name: /v1/ }).textContent()).toMatch(/v1[\d,]+0%33%/);
  await page.getByRole('group', { name: 'Client errors (4xx)' }).waitFor();
  await screenshot(page, 'denied-service');
  await page.goto(`${mesh.console}/#/services`);
  await expect.poll(() => page.getByRole('row', { name: /^web\.default/ }).textContent()).toMatch(/\/s0%\d+%/);
  await page.goto(`${mesh.console}/#/traces`);
  const statuses = page.getByRole('combobox', { name: 'Status' });
  const offered = async (): Promise<string[]> =>
    (await statuses.locator('option').allTextContents()).map((each) => each.slice(0, 3));
  await expect.poll(offered).toEqual(['Any', '2xx', '3xx', '4xx', '403', '5xx']);
  await statuses.selectOption({ label: '403 (denied)' });
  await page
    .getByRole('link', { name: /^GET http:.*\/admin/ })
    .first()
    .waitFor();
  await page
    .getByRole('link', { name: /^GET http:.*\/secret/ })
    .first()
    .waitFor();
  await expect.poll(() => page.locator('tbody tr td.refused').count()).toBe(await page.locator('tbody tr').count());
  await screenshot(page, 'denied-traces');
  expect(await violationsOf(page)).toEqual([]);
  expect(complaints).toEqual([]);
  await context.close();
}, 120_000);
