import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { freePort, requireTool } from '@mizzen/testkit';
import { type Browser, chromium } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { LoadOptions } from '../load.ts';
import { loadOf } from '../testing/load.ts';
import { type Nginx, startNginx } from '../testing/nginx.ts';
import { parseThreshold, type Threshold } from '../thresholds.ts';
import { htmlOf } from './html.ts';

/** The report of a load on nginx over HTTP/2, as Chromium shows it. */

let folder: string;
let browser: Browser;
let nginx: Nginx;
let port: number;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'mizzen-report-'));
  port = await freePort();
  nginx = await startNginx(
    port,
    `listen 127.0.0.1:${port} http2; location / { return 200 "x"; } location /no { return 404; }`,
  );
  browser = await chromium.launch({ executablePath: requireTool('chromium'), args: ['--no-sandbox'] });
});
afterAll(async () => {
  await browser?.close();
  await nginx?.stop();
  rmSync(folder, { recursive: true });
});

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
/** What a person would stumble over: what axe-core finds, a page wider than its window, words cut into letters. */
const LOOK = `(async () => {
  const { violations } = await axe.run(document, { resultTypes: ['violations'] });
  const tall = [...document.querySelectorAll('td, dd')].filter((each) => each.getBoundingClientRect().height > 90);
  return {
    violations: violations.map(({ id, nodes }) => id + ': ' + nodes[0].html),
    wider: document.documentElement.scrollWidth - innerWidth,
    tall: tall.map((each) => each.textContent),
    charts: [...document.querySelectorAll('svg')].filter((each) => each.getBoundingClientRect().height > 80).length,
    lines: document.querySelectorAll('svg path').length,
  };
})()`;

const MODES: readonly Partial<LoadOptions>[] = [
  { mode: 'balanced', rate: 40, seconds: 3 },
  { mode: 'soak', rate: 40, seconds: 5 },
  { mode: 'stress', rate: 20, peak: 60, seconds: 5 },
];

test.each(MODES)('$mode', async (options) => {
  const limits = options.mode === 'stress' ? ['p99<10s', 'errors<90%'] : ['p99<2s', 'errors<1%'];
  const thresholds = limits.map((each) => parseThreshold(each) as Threshold);
  const load = loadOf(
    `{ target: "http://127.0.0.1:${port}", protocol: http2, scenarios: {
         a-long-name: { steps: [{ url: /some/path/that/is/long }] }, no: { steps: [{ url: /no }] } } }`,
    { ...options, thresholds },
  );
  await load.prepare();
  const result = await load.start();
  expect(result.requests.sent).toBeGreaterThan(30);
  const file = join(folder, `${options.mode}.html`);
  writeFileSync(file, htmlOf(result));
  for (const [width, colorScheme] of [
    [1200, 'light'],
    [1200, 'dark'],
    [420, 'light'],
  ] as const) {
    const context = await browser.newContext({ colorScheme, viewport: { width, height: 900 } });
    const page = await context.newPage();
    const complaints: string[] = [];
    page.on('console', (message) => complaints.push(message.text()));
    page.on('request', (request) => complaints.push(...(request.url().startsWith('file:') ? [] : [request.url()])));
    await page.goto(pathToFileURL(file).href);
    // By the debugger, which the page's content security policy does not concern.
    await page.evaluate(AXE);
    const seen = await page.evaluate<Readonly<Record<string, unknown>>>(LOOK);
    expect([width, colorScheme, complaints, seen]).toEqual([
      width,
      colorScheme,
      [],
      { violations: [], wider: 0, tall: [], charts: 4, lines: expect.toSatisfy((lines: number) => lines > 6) },
    ]);
    const screenshots = process.env.MIZZEN_SCREENSHOTS;
    if (screenshots !== undefined)
      await page.screenshot({
        path: `${screenshots}/load-${options.mode}-${colorScheme}-${width}.png`,
        fullPage: true,
      });
    await context.close();
  }
});
