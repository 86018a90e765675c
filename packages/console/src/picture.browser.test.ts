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
}, 120_000);
afterAll(async () => {
  await Promise.all([browser?.close(), mesh?.stop()]);
});

test('the store of npm start is a living graph, of which a picture is taken', async () => {
  const json = { 'content-type': 'application/json' };
  const shop = async (user: string, orders: boolean): Promise<void> => {
    const headers = { 'x-user': user };
    for (const path of ['/', '/products', '/products/123'])
      await (await fetch(mesh.gateway + path, { headers })).arrayBuffer();
    if (!orders) return;
    const body = JSON.stringify({ user_id: user, items: [{ product_id: '123', quantity: 1 }] });
    await (
      await fetch(`${mesh.gateway}/orders`, { method: 'POST', headers: { ...headers, ...json }, body })
    ).arrayBuffer();
  };
  const { page, context, complaints } = await openPage(browser, mesh.console);
  await page.setViewportSize({ width: 1440, height: 900 });
  await page.waitForSelector('.node');
  // The store keeps its stock from run to run: whoever bought each time would find it sold out.
  for (let i = 0; i < 12; i++)
    await Promise.all(['ana', 'ben', 'cho', 'beta'].map((user, who) => shop(user, who === i % 12)));
  const taken = process.env.MIZZEN_PICTURES !== undefined || !existsSync(PICTURE);
  // A picture shows the store in its stride: of its first requests, which load programs, nothing is in the window then.
  for (const end = performance.now() + (taken ? 40_000 : 0); performance.now() < end; await page.waitForTimeout(400)) {
    const who = Math.floor(performance.now() / 400) % 12;
    await shop(['ana', 'ben', 'cho', 'beta'][who % 4]!, who < 4);
  }
  const names = ['storefront', 'orders', 'catalog-v1', 'catalog-v2', 'istio-ingressgateway'];
  for (const name of names) await page.locator(`.node[data-id$="/${name}"]`).waitFor();
  await expect.poll(() => page.locator('.edge-label').count()).toBeGreaterThanOrEqual(4);
  await page.getByText('Live').waitFor();
  const path = taken ? PICTURE : join(mesh.folder, 'console.png');
  mkdirSync(dirname(path), { recursive: true });
  // Whoever moves has arrived by then.
  await page.waitForTimeout(600);
  await page.screenshot({ path });
  expect(statSync(path).size).toBeGreaterThan(30_000);
  expect(complaints).toEqual([]);
  await context.close();
}, 120_000);
