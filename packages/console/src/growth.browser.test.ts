import type { Browser, CDPSession } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openBrowser } from './testing/browser.ts';
import { prepareReplay, replay } from './testing/replay.ts';
import { serveSynthetic, syntheticGraph } from './testing/synthetic.ts';

/**
 * Functions that have been called often are compiled again and again, and the machine code is part of the heap: some
 * 400 kB over the first thousands of updates, whatever they do. Compiled once, when they are first called, and for good,
 * what is left is what the page keeps.
 */
const COMPILED_ONCE = '--js-flags=--always-sparkplug --no-maglev --no-opt --no-flush-bytecode';

let browser: Browser;
beforeAll(async () => {
  browser = await openBrowser([COMPILED_ONCE]);
});
afterAll(() => browser?.close());

const QUARTER = 450;
/** Bytes: as much as a number for each update between the two quarters that are compared would take. */
const BOUND = 30_000;

interface Used {
  readonly heap: number;
  readonly nodes: number;
  readonly listeners: number;
}

async function used(devtools: CDPSession): Promise<Used> {
  await devtools.send('HeapProfiler.collectGarbage');
  const { metrics } = await devtools.send('Performance.getMetrics');
  const of = (name: string): number => metrics.find((metric) => metric.name === name)?.value ?? 0;
  return { heap: of('JSHeapUsedSize'), nodes: of('Nodes'), listeners: of('JSEventListeners') };
}

test('half an hour of updates of fifty services leaves nothing behind', async () => {
  const server = await serveSynthetic(50);
  const context = await browser.newContext({ viewport: { width: 1400, height: 860 } });
  const page = await context.newPage();
  await prepareReplay(page, 50);
  await page.goto(server.url);
  await page.waitForSelector('.empty');
  expect(await replay(page, 1)).toBe(true);
  // So close that nodes have words and connections labels, and with the lines of the last two minutes beside the graph.
  for (let i = 0; i < 3; i++) await page.getByRole('button', { name: 'Closer' }).click();
  await page.locator('.edge-label').first().waitFor();
  await page.locator(`.node[data-id="${syntheticGraph(50, 0).edges[0]!.target}"]`).focus();
  await page.keyboard.press('Enter');
  await page.getByRole('complementary', { name: 'Details' }).locator('polyline').first().waitFor({ state: 'attached' });
  const devtools = await context.newCDPSession(page);
  await devtools.send('Performance.enable');
  /** The least of some, all with the same graph on the page: what is just being worked on is in the others. */
  const quarter = async (): Promise<Used> => {
    const all: Used[] = [];
    for (let part = 0; part < 5; part++) {
      expect(await replay(page, QUARTER / 5)).toBe(true);
      all.push(await used(devtools));
    }
    if (process.env.MIZZEN_GROWTH !== undefined) console.log(JSON.stringify(all));
    const least = (of: (each: Used) => number): number => Math.min(...all.map(of));
    return {
      heap: least(({ heap }) => heap),
      nodes: least(({ nodes }) => nodes),
      listeners: least(({ listeners }) => listeners),
    };
  };
  await quarter();
  const second = await quarter();
  await quarter();
  const last = await quarter();
  expect(last.heap - second.heap).toBeLessThan(BOUND);
  expect(last.nodes - second.nodes).toBeLessThan(20);
  expect(last.listeners - second.listeners).toBeLessThan(10);
  await context.close();
  await server.close();
}, 600_000);
