import { decodeFromCompressedBase64 } from 'hdr-histogram-js';
import { expect, test } from 'vitest';
import { frame, progressLine } from '../live.ts';
import type { LoadOptions } from '../load.ts';
import { parseThreshold, type Threshold } from '../thresholds.ts';
import { loadOf } from '../testing/load.ts';
import { realClock } from '../testing/clock.ts';
import { startTarget } from '../testing/target.ts';
import { htmlOf } from './html.ts';
import { textOf } from './text.ts';
import { linear, logarithmic } from './scale.ts';

async function loaded(
  options: Partial<LoadOptions> = {},
): Promise<{ load: ReturnType<typeof loadOf>; done: ReturnType<ReturnType<typeof loadOf>['start']> }> {
  const target = await startTarget((request, response) => {
    response.statusCode = request.url === '/bad' ? 500 : 200;
    response.end('ok');
  });
  const load = loadOf(
    `target: ${target.url}
scenarios:
  'a <b> & "c"': { steps: [{ name: '<script>alert(1)</script>', url: / }] }
  bad: { steps: [{ url: /bad }] }`,
    { rate: 60, seconds: 2, thresholds: [parseThreshold('errors<1%') as Threshold], ...options },
  );
  await load.prepare();
  return { load, done: load.start().finally(() => target.close()) };
}

test('the page stands alone: no scripts, nothing from elsewhere, names as text', async () => {
  const result = await (await loaded()).done;
  const html = htmlOf(result);
  expect(html).not.toMatch(/<script|<link|<img|@import|url\(|\son\w+=/i);
  expect(html.match(/https?:\/\/[^\s"<]+/g)!.every((each) => each === result.target)).toBe(true);
  expect(html).toContain('a &lt;b&gt; &amp; &quot;c&quot;/&lt;script&gt;');
  expect(html.match(/<svg /g)).toHaveLength(4);
  expect(html).toContain('prefers-color-scheme: dark');
  expect(html).not.toMatch(/NaN|undefined|Infinity/);
  // Every element that is opened is closed.
  for (const tag of ['figure', 'svg', 'g', 'ul', 'li', 'table', 'tr', 'td', 'dl', 'div', 'main']) {
    expect(html.split(`<${tag}`).filter((each) => /^[\s>]/.test(each)).length, tag).toBe(
      html.split(`</${tag}>`).length - 1,
    );
  }
});

test('of nothing there is a page, too', async () => {
  const { load, done } = await loaded({ rate: 1 });
  load.run.stop('interrupted');
  const html = htmlOf(await done);
  expect(html).not.toMatch(/NaN|undefined|Infinity/);
  expect(html).toContain('ended by hand');
});

test('the histogram in the result is the one that its percentiles are from', async () => {
  const { histogram, requests } = await (await loaded()).done;
  const decoded = decodeFromCompressedBase64(histogram);
  expect(decoded.totalCount).toBe(requests.answered);
  expect(Math.min(decoded.getValueAtPercentile(99), decoded.maxValue) / 1000).toBe(requests.latency!.p99);
});

test('text: what a person wants to know', async () => {
  const result = await (await loaded()).done;
  const text = textOf(result, { color: false });
  expect(text).toContain(`requests  120 sent, 120 answered, ${result.requests.errors} errors\n`);
  expect(text).toMatch(/^causes {4}status 500 × \d+$/m);
  expect(text).toMatch(/^bad\/1 GET \/bad +\d+ +\d+ /m);
  expect(text).toMatch(/^broken errors<1% \([\d.]+ %\)$/m);
});

test('live: as wide as the terminal and no wider', async () => {
  const { load, done } = await loaded();
  await new Promise<void>((resolve) => void realClock.after(1500, resolve));
  const plain = frame(load.run, 60, false);
  expect(plain.every((line) => line.length <= 60)).toBe(true);
  const seen = frame(load.run, 60, true).map((line) => line.replaceAll(new RegExp(`${'\u001b'}\\[\\d+m`, 'g'), ''));
  expect(seen.every((line) => line.length <= 60)).toBe(true);
  expect(plain[0]).toMatch(/^balanced █+░+ \d+ %/);
  expect(progressLine(load.run)).toMatch(/^[12] of 2 s: \d+ a second, \d+ sent, \d+ errors \(/);
  await done;
});

test('scales end on round numbers', () => {
  expect(linear(473, 100).ticks).toEqual([0, 200, 400, 600]);
  expect(linear(0, 100).ticks.at(0)).toBe(0);
  expect(linear(600, 100).at(600)).toBe(100);
  expect(logarithmic(3, 450, 90).ticks).toEqual([1, 10, 100, 1000]);
  expect(logarithmic(3, 450, 90).at(100)).toBeCloseTo(60);
});
