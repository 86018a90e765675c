import type { Page } from 'playwright-core';
import { syntheticGraph } from './synthetic.ts';

/** Different graphs that come in turn. */
const TURNS = 30;

/**
 * Puts a page, before it is opened, where updates and seconds come as fast as it can work: `EventSource` and intervals of
 * a second are those of a replay, the rest is the browser's own.
 */
export async function prepareReplay(page: Page, services: number): Promise<void> {
  const graphs = Array.from({ length: TURNS }, (_, turn) => JSON.stringify(syntheticGraph(services, turn)));
  await page.addInitScript(`{
    const graphs = ${JSON.stringify(graphs)};
    const sources = new Set();
    const ticks = new Map();
    window.EventSource = class extends EventTarget {
      constructor() { super(); sources.add(this); }
      close() { sources.delete(this); }
    };
    const { setInterval: every, clearInterval: clear } = window;
    window.setInterval = (run, ms) => {
      const timer = every(() => undefined, 1e9);
      if (ms === 1000) ticks.set(timer, run);
      return timer;
    };
    window.clearInterval = (timer) => { ticks.delete(timer); clear(timer); };
    const channel = new MessageChannel();
    const turn = () => new Promise((resolve) => {
      channel.port1.onmessage = resolve;
      channel.port2.postMessage(0);
    });
    window.seconds = async (count) => {
      for (let second = 0; second < count; second++) {
        for (const source of sources)
          source.dispatchEvent(new MessageEvent('graph', { data: graphs[second % graphs.length] }));
        for (const run of ticks.values()) run();
        await turn();
        await turn();
      }
      return sources.size * ticks.size;
    };
  }`);
}

/** So many seconds with an update in each. True when there was one stream of updates, with one clock. */
export async function replay(page: Page, seconds: number): Promise<boolean> {
  return (await page.evaluate(`seconds(${seconds})`)) === 1;
}
