import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openBrowser, openPage, screenshot } from './testing/browser.ts';
import { prepareReplay, replay } from './testing/replay.ts';
import { built, serveSynthetic, syntheticGraph } from './testing/synthetic.ts';

/** What speed is made of and can be counted; how long it takes is in bench/console.ts. */
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

test('fifty services are painted', async () => {
  const server = await serveSynthetic(50);
  const { page, context, complaints } = await openPage(browser, server.url);
  await page.waitForSelector('.node');
  expect(await page.locator('.node').count()).toBe(50);
  await screenshot(page, 'fifty');
  expect(complaints).toEqual([]);
  await context.close();
  await server.close();
});

/** What the page did since it was opened. */
interface Counts {
  /** Layouts that were asked for. */
  readonly layouts: number;
  /** Elements that came or went. */
  readonly elements: number;
  readonly attributes: Readonly<Record<string, number>>;
  readonly texts: number;
}

const COUNT = `{
  const { postMessage } = Worker.prototype;
  window.counts = { layouts: 0, elements: 0, attributes: {}, texts: 0 };
  Worker.prototype.postMessage = function (...args) {
    window.counts.layouts++;
    return postMessage.apply(this, args);
  };
  const count = (records) => {
    for (const { type, attributeName, addedNodes, removedNodes } of records) {
      if (type === 'attributes') counts.attributes[attributeName] = (counts.attributes[attributeName] ?? 0) + 1;
      else if (type === 'characterData') counts.texts++;
      else counts.elements += [...addedNodes, ...removedNodes].filter((node) => node.nodeType === 1).length;
    }
  };
  const observer = new MutationObserver(count);
  window.watch = () => {
    window.counts = { layouts: 0, elements: 0, attributes: {}, texts: 0 };
    const what = { subtree: true, childList: true, attributes: true, characterData: true };
    observer.observe(document.querySelector('.canvas'), what);
  };
  window.counted = () => { count(observer.takeRecords()); return window.counts; };
}`;

async function countedDuring(page: Page, work: () => Promise<void>): Promise<Counts> {
  await page.evaluate('watch()');
  await work();
  return page.evaluate<Counts>('counted()');
}

const UPDATES = 10;

/** Pixels from where the highest workload of a namespace can begin up to the end of its name; of the worst of all. */
const DEEPEST = `Math.max(0, ...[...document.querySelectorAll('.far-names text')].map((name, index) => {
  const box = document.querySelectorAll('.box.namespace rect')[index];
  const { top, width } = box.getBoundingClientRect();
  const room = 40 * (width / box.width.baseVal.value);
  return name.getBoundingClientRect().bottom - top - room;
}))`;

test.each([
  ['all of them', 0],
  ['some of them, so close that they can be read', 6],
])(
  'an update of three hundred services changes what is new in it, and nothing moves: %s are seen',
  async (_, closer) => {
    const server = await serveSynthetic(300);
    const { page, context, complaints } = await openPage(browser, 'about:blank');
    await prepareReplay(page, 300);
    await page.addInitScript(COUNT);
    await page.goto(server.url);
    await page.waitForSelector('.empty');
    expect(await replay(page, 1)).toBe(true);
    await page.waitForSelector('.node');
    expect(await page.evaluate('counts.layouts')).toBeGreaterThan(0);
    for (let i = 0; i < closer; i++) await page.getByRole('button', { name: 'Closer' }).click();
    const readable = await page.locator('.node .name').count();
    const labels = await page.locator('.edge-label').count();
    if (closer === 0) expect([readable, labels]).toEqual([0, 0]);
    else expect(Math.min(readable, labels)).toBeGreaterThanOrEqual(10);
    expect(await page.evaluate<number>(DEEPEST)).toBeLessThan(4);
    await screenshot(page, `three-hundred-${closer}`);
    const places = (): Promise<(string | null)[]> =>
      page.locator('.node').evaluateAll((nodes) => nodes.map((node) => node.getAttribute('style')));
    const before = await places();
    expect(before).toHaveLength(300);
    const counts = await countedDuring(page, async () => {
      expect(await replay(page, UPDATES)).toBe(true);
    });
    if (process.env.MIZZEN_SPEED !== undefined) console.log(counts, readable, labels);
    // The first is that which is shown already, and each of the others has other numbers for all.
    const changes = UPDATES - 1;
    const { edges } = syntheticGraph(300, 0);
    expect(counts.layouts).toBe(0);
    expect(Object.keys(counts.attributes).toSorted()).toEqual(['aria-label', 'stroke-width']);
    expect(counts.attributes['aria-label']).toBe(300 * changes);
    // Lines become thicker in steps, and few have another after one second.
    expect(counts.attributes['stroke-width']).toBeLessThan(0.5 * edges.length * changes);
    // What shows that there is traffic, where it begins or ends.
    expect(counts.elements).toBeLessThan(10 * changes);
    // The rate of a node; the rate, the share of errors and the latencies of a connection.
    expect(counts.texts).toBeLessThanOrEqual((readable + 3 * labels) * changes);
    expect(await places()).toEqual(before);
    expect(complaints).toEqual([]);
    await context.close();
    await server.close();
  },
  60_000,
);
