import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openBrowser, openPage, screenshot } from './testing/browser.ts';
import { built, serveSynthetic } from './testing/synthetic.ts';

let browser: Browser;
beforeAll(async () => {
  browser = await openBrowser();
});
afterAll(() => browser?.close());

test('all of it is below 500 kB compressed', () => {
  const folder = built();
  const files = globSync('**/*.*', { cwd: folder });
  const size = files.reduce((sum, file) => sum + gzipSync(readFileSync(join(folder, file))).length, 0);
  expect(files.length).toBeGreaterThan(3);
  expect(size).toBeLessThan(500_000);
});

test('fifty services are painted within a second', async () => {
  const server = await serveSynthetic(50);
  // The quickest of some: what else the machine does is not the page's doing.
  let painted = Infinity;
  for (let attempt = 0; attempt < 6 && painted >= 1000; attempt++) {
    const { page, context } = await openPage(browser, server.url);
    await page.waitForSelector('.node');
    const time = await page.evaluate<number>(
      `performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? Infinity`,
    );
    painted = Math.min(painted, time);
    await context.close();
  }
  expect(painted).toBeLessThan(1000);
  const { page, context, complaints } = await openPage(browser, server.url);
  await page.waitForSelector('.node');
  expect(await page.locator('.node').count()).toBe(50);
  await screenshot(page, 'fifty');
  expect(complaints).toEqual([]);
  await context.close();
  await server.close();
});

test('three hundred services update without holding the page up, and stay where they are', async () => {
  const server = await serveSynthetic(300);
  const { page, context, complaints } = await openPage(browser, server.url);
  await page.waitForSelector('.node');
  await page.waitForTimeout(1500);
  await screenshot(page, 'three-hundred');
  const places = (): Promise<(string | null)[]> =>
    page.locator('.node').evaluateAll((nodes) => nodes.map((node) => node.getAttribute('style')));
  const before = await places();
  const devtools = await context.newCDPSession(page);
  await devtools.send('Performance.enable', { timeDomain: 'threadTicks' });
  const busy = async (): Promise<number> => {
    const { metrics } = await devtools.send('Performance.getMetrics');
    const of = (name: string): number => metrics.find((metric) => metric.name === name)?.value ?? 0;
    return of('ScriptDuration') + of('LayoutDuration') + of('RecalcStyleDuration');
  };
  const start = await busy();
  await page.waitForTimeout(5000);
  // Seconds of the page's own thread in five, in which five updates came.
  expect((await busy()) - start).toBeLessThan(1.5);
  expect(await places()).toEqual(before);
  expect(complaints).toEqual([]);
  await context.close();
  await server.close();
}, 60_000);
