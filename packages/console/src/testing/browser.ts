import { createRequire } from 'node:module';
import { chromium, type Browser, type BrowserContext, type Page } from 'playwright-core';
import { requireTool } from '@mizzen/testkit';

export type Scheme = 'light' | 'dark';

/** Debian's Chromium. Its sandbox needs what containers often lack; nothing but the console is opened. */
export function openBrowser(flags: readonly string[] = []): Promise<Browser> {
  return chromium.launch({ executablePath: requireTool('chromium'), args: ['--no-sandbox', ...flags] });
}

export interface Opened {
  readonly page: Page;
  readonly context: BrowserContext;
  /** What the console of the browser was told, and what was thrown; warnings and worse. */
  readonly complaints: readonly string[];
}

export async function openPage(browser: Browser, url: string, scheme: Scheme = 'light'): Promise<Opened> {
  const context = await browser.newContext({ colorScheme: scheme, viewport: { width: 1400, height: 860 } });
  const page = await context.newPage();
  page.setDefaultTimeout(45_000);
  const complaints: string[] = [];
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') complaints.push(message.text());
  });
  page.on('pageerror', (error) => complaints.push(error.message));
  await page.goto(url);
  return { page, context, complaints };
}

const axe = createRequire(import.meta.url).resolve('axe-core/axe.min.js');

interface AxeResults {
  readonly violations: readonly { readonly id: string; readonly nodes: readonly { readonly html: string }[] }[];
}

/** What axe-core finds wrong with a page, in a line each. */
export async function violationsOf(page: Page): Promise<string[]> {
  await page.evaluate('typeof axe').then(async (kind) => {
    // By the debugger, which the page's content security policy does not concern.
    if (kind === 'undefined') await page.evaluate((await import('node:fs')).readFileSync(axe, 'utf8'));
  });
  const { violations } = await page.evaluate<AxeResults>('axe.run(document, { resultTypes: ["violations"] })');
  return violations.flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html.slice(0, 200)}`));
}

/** Kept where MIZZEN_SCREENSHOTS says, for whoever wants to look. */
export async function screenshot(page: Page, name: string): Promise<void> {
  const folder = process.env.MIZZEN_SCREENSHOTS;
  if (folder !== undefined) await page.screenshot({ path: `${folder}/${name}.png` });
}
