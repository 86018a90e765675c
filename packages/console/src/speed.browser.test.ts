import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openBrowser, openPage, screenshot } from './testing/browser.ts';
import { built, serveSynthetic } from './testing/synthetic.ts';

let browser: Browser;
beforeAll(async () => {
  browser = await openBrowser();
});
afterAll(() => browser?.close());

test('it is the build for users, whoever makes it', () => {
  const folder = built();
  const scripts = globSync('assets/*.js', { cwd: folder }).map((file) => readFileSync(join(folder, file), 'utf8'));
  expect(scripts.length).toBeGreaterThan(3);
  // What React has while it is being developed with.
  for (const text of scripts) expect(text.includes('jsxDEV')).toBe(false);
});

test('all of it is below 500 kB compressed', () => {
  const folder = built();
  const files = globSync('**/*.*', { cwd: folder });
  const size = files.reduce((sum, file) => sum + gzipSync(readFileSync(join(folder, file))).length, 0);
  expect(files.length).toBeGreaterThan(3);
  expect(size).toBeLessThan(500_000);
});

/** Milliseconds from the request of the page until so many services are painted. */
async function paintedAfter(url: string, services: number): Promise<number> {
  const context = await browser.newContext({ viewport: { width: 1400, height: 860 } });
  const page = await context.newPage();
  // What is there in one frame is painted when the next begins.
  await page.addInitScript(`{
    const look = () => {
      if (document.querySelectorAll('.node').length < ${services}) requestAnimationFrame(look);
      else requestAnimationFrame((time) => { window.painted = time; });
    };
    requestAnimationFrame(look);
  }`);
  await page.goto(url);
  await page.waitForFunction('window.painted !== undefined');
  const painted = await page.evaluate<number>('painted');
  await context.close();
  return painted;
}

test('fifty services are painted within a second', async () => {
  const server = await serveSynthetic(50);
  // The quickest of some: what else the machine does is not the page's doing.
  let painted = Infinity;
  for (let attempt = 0; attempt < 6 && painted >= 1000; attempt++) {
    painted = Math.min(painted, await paintedAfter(server.url, 50));
  }
  if (process.env.MIZZEN_SPEED !== undefined) console.log('painted', painted);
  expect(painted).toBeLessThan(1000);
  const { page, context, complaints } = await openPage(browser, server.url);
  await page.waitForSelector('.node');
  expect(await page.locator('.node').count()).toBe(50);
  await screenshot(page, 'fifty');
  expect(complaints).toEqual([]);
  await context.close();
  await server.close();
});

/** Seconds of the page's own thread that each of its tasks took, the longest first, while something is done. */
async function tasksDuring(page: Page, work: () => Promise<void>): Promise<number[]> {
  await browser.startTracing(page, { categories: ['toplevel', 'disabled-by-default-devtools.timeline'] });
  await work();
  const { traceEvents } = JSON.parse((await browser.stopTracing()).toString()) as {
    readonly traceEvents: readonly {
      readonly name: string;
      readonly pid: number;
      readonly tid: number;
      readonly tdur?: number;
      readonly args: { readonly name?: string };
    }[];
  };
  const threads = new Set(
    traceEvents
      .filter(({ name, args }) => name === 'thread_name' && args.name === 'CrRendererMain')
      .map(({ pid, tid }) => `${pid} ${tid}`),
  );
  return traceEvents
    .filter(({ name, pid, tid }) => name === 'RunTask' && threads.has(`${pid} ${tid}`))
    .map(({ tdur = 0 }) => tdur / 1e6)
    .toSorted((a, b) => b - a);
}

test.each([
  ['all of them', 0],
  ['some of them, so close that they can be read', 6],
])(
  'three hundred services update without holding the page up, and stay where they are: %s are seen',
  async (_, closer) => {
    const server = await serveSynthetic(300);
    const { page, context, complaints } = await openPage(browser, server.url);
    await page.waitForSelector('.node');
    for (let i = 0; i < closer; i++) await page.getByRole('button', { name: 'Closer' }).click();
    expect(await page.locator('.node .name').count()).toBeGreaterThanOrEqual(closer === 0 ? 0 : 10);
    await page.waitForTimeout(1500);
    await screenshot(page, `three-hundred-${closer}`);
    const places = (): Promise<(string | null)[]> =>
      page.locator('.node').evaluateAll((nodes) => nodes.map((node) => node.getAttribute('style')));
    const before = await places();
    const tasks = await tasksDuring(page, () => page.waitForTimeout(5000));
    if (process.env.MIZZEN_SPEED !== undefined) console.log(tasks.slice(0, 10), tasks.length);
    // In which five updates came. What takes longer than 50 ms is a long task; of one, garbage may be collected.
    expect(tasks.length).toBeGreaterThan(20);
    expect(tasks[1]).toBeLessThan(0.05);
    expect(tasks.reduce((sum, seconds) => sum + seconds, 0)).toBeLessThan(1);
    expect(await places()).toEqual(before);
    expect(complaints).toEqual([]);
    await context.close();
    await server.close();
  },
  60_000,
);
