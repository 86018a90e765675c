import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openBrowser, openPage, screenshot, violationsOf } from './testing/browser.ts';
import { FRONT_GATEWAY, webManifests } from './testing/manifests.ts';
import { Mesh } from './testing/mesh.ts';

const FILES = {
  'web.yaml': webManifests(),
  'routes.yaml': `${FRONT_GATEWAY}apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: front }
spec:
  hosts: ['*']
  gateways: [front]
  http:
    - match: [{ uri: { prefix: /broken } }]
      fault: { abort: { httpStatus: 503, percentage: { value: 100 } } }
      route: [{ destination: { host: web } }]
    - route: [{ destination: { host: web } }]
`,
  'logging.yaml': `apiVersion: telemetry.istio.io/v1
kind: Telemetry
metadata: { name: mesh, namespace: istio-system }
spec: { accessLogging: [{ providers: [{ name: envoy }] }] }
`,
};

let browser: Browser;
let mesh: Mesh;
beforeAll(async () => {
  [browser, mesh] = await Promise.all([openBrowser(), Mesh.start(FILES)]);
  for (let i = 0; i < 6; i++) expect(await mesh.ask(`/page/${i}`)).toBe(200);
  expect(await mesh.ask('/broken')).toBe(503);
}, 120_000);
afterAll(async () => {
  await Promise.all([browser?.close(), mesh?.stop()]);
});

test('requests are listed, opened as waterfalls by the keyboard, and explained', async () => {
  const { page, context, complaints } = await openPage(browser, `${mesh.console}/#/traces`);
  await page.getByRole('link', { name: /^GET http:.*\/page\/5/ }).waitFor();
  await page.getByRole('link', { name: /^GET http:.*\/broken/ }).waitFor();
  await screenshot(page, 'traces');
  await page.getByRole('combobox', { name: 'Status' }).selectOption('5xx');
  await expect.poll(() => page.locator('tbody tr').count()).toBe(1);
  expect(await page.locator('tbody tr').textContent()).toMatch(/\/broken.*istio-ingressgateway\.istio-system.*503/);
  await page.getByRole('combobox', { name: 'Status' }).selectOption('');
  await page.getByRole('combobox', { name: 'Service' }).selectOption('web.default');
  await expect.poll(() => page.locator('tbody tr').count()).toBe(6);

  await page.getByRole('link', { name: /^GET http:.*\/page\/3/ }).focus();
  await page.keyboard.press('Enter');
  const rows = page.locator('.span-row');
  await expect.poll(() => rows.count()).toBe(2);
  await page.locator('.span-row').first().focus();
  await page.keyboard.press('ArrowDown');
  expect(await page.evaluate('document.activeElement.textContent')).toMatch(
    /^web\.default answers web.*ms, waited for .* ms,200$/,
  );
  await page.keyboard.press('Enter');
  expect(await page.locator('.span-details').textContent()).toMatch(/istio\.canonical_service.*web/);
  // The gateway before and after the answer of `web`, and `web` between; what takes no time by the clocks is not drawn.
  expect([2, 3]).toContain(await page.locator('.span-critical').count());
  await screenshot(page, 'trace');

  await page.getByRole('link', { name: 'Why it went this way' }).first().click();
  await page.locator('.verdict', { hasText: 'it reaches the application web.default, port 8080' }).waitFor();
  await page
    .locator('.steps li', { hasText: /routes\.yaml:1\d/ })
    .first()
    .waitFor();
  await screenshot(page, 'explain');
  expect(complaints).toEqual([]);
  await context.close();
});

test('a line of an access log leads to its trace', async () => {
  const { page, context, complaints } = await openPage(
    browser,
    `${mesh.console}/#/logs?workload=default%2Fweb&source=access`,
  );
  const link = page.locator('.line a').first();
  const id = await link.textContent();
  await link.click();
  await page.getByText(id ?? '', { exact: true }).waitFor();
  expect(await page.locator('h1').textContent()).toMatch(/^GET http:.*\/page\/0$/);
  await page.goBack();
  // Every line is explained by itself, too, whether there is a trace of it or not.
  await page.locator('.line').first().waitFor();
  await expect
    .poll(async () => (await page.getByRole('link', { name: 'Why' }).count()) - (await page.locator('.line').count()))
    .toBe(0);
  await page.getByRole('link', { name: 'Why' }).nth(1).click();
  await page.locator('.verdict', { hasText: 'it reaches the application web.default, port 8080' }).waitFor();
  expect(await page.getByRole('textbox', { name: 'Address' }).inputValue()).toMatch(/\/page\/1$/);
  expect(complaints).toEqual([]);
  await context.close();
});

test.each(['light', 'dark'] as const)('traces are accessible in %s colours', async (scheme) => {
  const { page, context } = await openPage(browser, `${mesh.console}/#/traces`, scheme);
  await page.locator('tbody th a').first().waitFor();
  expect(await violationsOf(page)).toEqual([]);
  await page.locator('tbody th a').last().click();
  await page.locator('.span-row').first().click();
  await page.locator('.span-details').first().waitFor();
  expect(await violationsOf(page)).toEqual([]);
  await screenshot(page, `trace-${scheme}`);
  await page.getByRole('link', { name: 'Why it went this way' }).first().click();
  await page.locator('.verdict').waitFor();
  expect(await violationsOf(page)).toEqual([]);
  await context.close();
});
