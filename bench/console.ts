/**
 * The console in a browser, with meshes that there are only on paper: how soon fifty services are painted, and what an
 * update of three hundred costs the page's own thread. Beside it, what any page pays: the same markup parsed, laid out and
 * painted anew with each update, in the same page. Fails when an update costs more than that. Then how long it takes to find
 * a place for each, beside dagre's own layout of the same graph. Arguments: rounds (5), updates in each (5).
 */
import { Graph, layout as dagre } from '@dagrejs/dagre';
import type { Browser, Page } from 'playwright-core';
import { openBrowser, openPage } from '../packages/console/src/testing/browser.ts';
import { serveSynthetic, syntheticGraph } from '../packages/console/src/testing/synthetic.ts';
import { layout } from '../packages/console/src/graph/layout.ts';
import { median } from './lib/measure.ts';

const rounds = Number(process.argv[2] ?? 5);
const updates = Number(process.argv[3] ?? 5);
/** One a second, as from `serveSynthetic`. */
const EVERY_MS = 1000;

const browser = await openBrowser();
try {
  await firstPaint(50);
  process.stdout.write('\n');
  process.stdout.write(
    '| 300 services | ms an update | drawn anew | ratio | longest task | of drawing anew |\n|---|---|---|---|---|---|\n',
  );
  for (const [seen, closer] of [
    ['all seen', 0],
    ['some, to be read', 6],
  ] as const)
    await update(seen, closer);
  process.stdout.write(`\nmedians of ${rounds} rounds, ${updates} updates in each\n\n`);
  places(300);
} finally {
  await browser.close();
}

/** From the request of the page until the nodes are painted, and until a page with nothing but their number of boxes is. */
async function firstPaint(services: number): Promise<void> {
  const server = await serveSynthetic(services);
  const plain = `data:text/html,<svg width="1400" height="860">${'<rect class="node" width="9" height="9"/>'.repeat(services)}</svg>`;
  const took: Record<'console' | 'plain', number[]> = { console: [], plain: [] };
  // The first fills caches.
  for (let round = 0; round <= rounds; round++) {
    const [console, rest] = [
      await paintedAfter(browser, server.url, services),
      await paintedAfter(browser, plain, services),
    ];
    if (round === 0) continue;
    took.console.push(console);
    took.plain.push(rest);
  }
  await server.close();
  process.stdout.write('| first paint | ms |\n|---|---|\n');
  process.stdout.write(`| ${services} services | ${median(took.console).toFixed(0)} |\n`);
  process.stdout.write(`| a page with ${services} boxes and nothing else | ${median(took.plain).toFixed(0)} |\n`);
}

async function paintedAfter(from: Browser, url: string, services: number): Promise<number> {
  const context = await from.newContext({ viewport: { width: 1400, height: 860 } });
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

async function update(seen: string, closer: number): Promise<void> {
  const server = await serveSynthetic(300);
  const { page, context } = await openPage(browser, server.url);
  await page.waitForSelector('.node');
  for (let i = 0; i < closer; i++) await page.getByRole('button', { name: 'Closer' }).click();
  await page.waitForTimeout(1500);
  const ours: number[][] = [];
  for (let round = 0; round < rounds; round++) {
    ours.push(await tasksDuring(page, () => page.waitForTimeout(updates * EVERY_MS)));
  }
  // No more of them, so that what follows is by itself.
  await server.close();
  await page.evaluate(`{
    const canvas = document.querySelector('.canvas svg');
    const beside = document.createElement('div');
    beside.className = canvas.parentElement.className;
    canvas.parentElement.replaceWith(beside);
    const markup = canvas.outerHTML;
    window.anew = () => { beside.innerHTML = markup; };
  }`);
  const anew: number[][] = [];
  for (let round = 0; round < rounds; round++) {
    anew.push(
      await tasksDuring(page, async () => {
        for (let i = 0; i < updates; i++) {
          await page.evaluate('anew()');
          await page.waitForTimeout(EVERY_MS);
        }
      }),
    );
  }
  await context.close();
  const sum = (tasks: readonly number[]): number => tasks.reduce((all, each) => all + each, 0) / updates;
  const total = { ours: median(ours.map(sum)), anew: median(anew.map(sum)) };
  const longest = { ours: median(ours.map(([first = 0]) => first)), anew: median(anew.map(([first = 0]) => first)) };
  const cells = [total.ours, total.anew].map((each) => each.toFixed(1));
  const ratio = total.ours / total.anew;
  process.stdout.write(
    `| ${seen} | ${cells.join(' | ')} | ${ratio.toFixed(2)} | ${longest.ours.toFixed(1)} | ${longest.anew.toFixed(1)} |\n`,
  );
  if (!(ratio < 1)) process.exitCode = 1;
}

/** What the page's worker does once for each set of services and connections, here in this process. */
function places(services: number): void {
  const { nodes, edges } = syntheticGraph(services, 0);
  const took = (work: () => void): number => {
    const all = Array.from({ length: rounds + 1 }, () => {
      const before = process.cpuUsage();
      work();
      const { user, system } = process.cpuUsage(before);
      return (user + system) / 1000;
    });
    return median(all.slice(1));
  };
  const ours = took(() => layout({ nodes, edges }));
  const alone = took(() => {
    const graph = new Graph();
    graph.setGraph({});
    graph.setDefaultEdgeLabel(() => ({}));
    for (const { id } of nodes) graph.setNode(id, { width: 150, height: 54 });
    for (const { source, target } of edges) graph.setEdge(source, target);
    dagre(graph);
  });
  process.stdout.write(
    `| places | CPU ms | dagre alone | ratio |\n|---|---|---|---|\n| ${services} services | ${ours.toFixed(0)} | ${alone.toFixed(0)} | ${(ours / alone).toFixed(2)} |\n`,
  );
}

/** CPU milliseconds of the page's own thread that each of its tasks took, the longest first, while something is done. */
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
    .map(({ tdur = 0 }) => tdur / 1e3)
    .toSorted((a, b) => b - a);
}
