import { existsSync, mkdirSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { repositoryRoot } from '@mizzen/testkit';
import { openBrowser, openPage } from './testing/browser.ts';
import { Mesh } from './testing/mesh.ts';

/** What README shows. It is made again where it is missing, or where MIZZEN_PICTURES says so. */
const PICTURE = join(repositoryRoot, 'docs/images/console.png');

let browser: Browser;
let mesh: Mesh;
beforeAll(async () => {
  [browser, mesh] = await Promise.all([openBrowser(), Mesh.start({ path: 'examples/store', port: 80 })]);
}, 60_000);
afterAll(async () => {
  await Promise.all([browser?.close(), mesh?.stop()]);
});

test('the store of npm start is a living graph, of which a picture is taken', async () => {
  const json = { 'content-type': 'application/json' };
  const shop = async (user: string): Promise<void> => {
    const headers = { 'x-user': user };
    for (const path of ['/', '/products', '/products/123'])
      await (await fetch(mesh.gateway + path, { headers })).arrayBuffer();
    const body = JSON.stringify({ user_id: user, items: [{ product_id: '123', quantity: 1 }] });
    await (
      await fetch(`${mesh.gateway}/orders`, { method: 'POST', headers: { ...headers, ...json }, body })
    ).arrayBuffer();
  };
  const { page, context, complaints } = await openPage(browser, mesh.console);
  await page.setViewportSize({ width: 1440, height: 900 });
  await page.waitForSelector('.node');
  for (let i = 0; i < 12; i++) await Promise.all(['ana', 'ben', 'cho', 'beta'].map(shop));
  const names = ['storefront', 'orders', 'catalog-v1', 'catalog-v2', 'istio-ingressgateway'];
  for (const name of names) await page.locator(`.node[data-id$="/${name}"]`).waitFor();
  await expect.poll(() => page.locator('.edge-label').count(), { timeout: 10_000 }).toBeGreaterThanOrEqual(4);
  await page.getByText('Live').waitFor();
  const path =
    process.env.MIZZEN_PICTURES !== undefined || !existsSync(PICTURE) ? PICTURE : join(mesh.folder, 'console.png');
  mkdirSync(dirname(path), { recursive: true });
  // Whoever moves has arrived by then.
  await page.waitForTimeout(600);
  await page.screenshot({ path });
  expect(statSync(path).size).toBeGreaterThan(30_000);
  expect(complaints).toEqual([]);
  await context.close();
}, 60_000);
