import { renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openBrowser, openPage, type Scheme, screenshot, violationsOf } from './testing/browser.ts';
import { Mesh } from './testing/mesh.ts';

const deployment = (app: string, version: string): string => `apiVersion: apps/v1
kind: Deployment
metadata: { name: ${app}-${version} }
spec:
  selector: { matchLabels: { app: ${app}, version: ${version} } }
  template:
    metadata: { labels: { app: ${app}, version: ${version} } }
    spec: { containers: [{ name: app, image: x, ports: [{ containerPort: 8080 }] }] }
---
`;
const service = (app: string): string => `apiVersion: v1
kind: Service
metadata: { name: ${app} }
spec: { selector: { app: ${app} }, ports: [{ name: http, port: 80, targetPort: 8080 }] }
---
`;
const ROUTES = `apiVersion: networking.istio.io/v1
kind: Gateway
metadata: { name: front }
spec: { selector: { istio: ingressgateway }, servers: [{ port: { number: 80, name: http, protocol: HTTP }, hosts: ['*'] }] }
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: front }
spec:
  hosts: ['*']
  gateways: [front]
  http:
    - match: [{ uri: { prefix: /nobody } }]
      route: [{ destination: { host: nobody } }]
    - route: [{ destination: { host: web } }]
`;
const LOGGING = `apiVersion: telemetry.istio.io/v1
kind: Telemetry
metadata: { name: mesh, namespace: istio-system }
spec: { accessLogging: [{ providers: [{ name: envoy }] }] }
`;
const FILES = {
  'logging.yaml': LOGGING,
  'workloads.yaml': `${deployment('web', 'v1')}${deployment('web', 'v2')}${service('web')}${service('nobody')}`,
  'routes.yaml': ROUTES,
};

let browser: Browser;
let mesh: Mesh;
beforeAll(async () => {
  [browser, mesh] = await Promise.all([openBrowser(), Mesh.start(FILES)]);
  for (let i = 0; i < 40; i++) expect(await mesh.ask('/')).toBe(200);
  for (let i = 0; i < 4; i++) expect(await mesh.ask('/nobody')).toBe(503);
}, 120_000);
afterAll(async () => {
  await Promise.all([browser?.close(), mesh?.stop()]);
});

const node = (name: string): string => `.node[data-id$="/${name}"]`;
const label = (name: string, text: RegExp): { readonly name: RegExp } => ({
  name: new RegExp(`^${name}.*${text.source}`),
});

test('the terminal names the console when the mesh is ready', () => {
  expect(mesh.output).toMatch(new RegExp(`^console ${mesh.console}\\n(.*\\n)*ready in`, 'm'));
});

test('the graph shows what was sent, as it is sent', async () => {
  const { page, context, complaints } = await openPage(browser, mesh.console);
  await page.waitForSelector('.edge-label');
  await page.getByRole('button', label('web-v1', /healthy, 1 of 1 ready/)).waitFor();
  await page.getByRole('button', label('web-v2', /v2/)).waitFor();
  await page.getByRole('button', label('nobody', /failing/)).waitFor();
  expect(await page.locator('.edge').count()).toBe(3);
  expect(await page.locator('.edge-label .lock').count()).toBeGreaterThanOrEqual(2);
  expect(await page.locator('.box.namespace text').allTextContents()).toEqual(['default', 'istio-system']);
  expect(await page.locator('.box.app text').allTextContents()).toEqual(['web']);
  const places = await page.locator('.node').evaluateAll((all) => all.map((each) => each.getAttribute('style')));
  const rates = await page.locator('.edge-label').allTextContents();
  for (let i = 0; i < 60; i++) await mesh.ask('/');
  await expect.poll(() => page.locator('.edge-label').allTextContents()).not.toEqual(rates);
  expect(await page.locator('.node').evaluateAll((all) => all.map((each) => each.getAttribute('style')))).toEqual(
    places,
  );
  expect(complaints).toEqual([]);
  await context.close();
});

test('what is selected is explained in numbers', async () => {
  const { page, context, complaints } = await openPage(browser, mesh.console);
  await page.locator(node('web-v1')).click();
  const details = page.getByRole('complementary', { name: 'Details' });
  await details.getByRole('heading', { name: 'web-v1' }).waitFor();
  await details.getByRole('button', { name: 'istio-ingressgateway' }).click();
  await details.getByRole('heading', { name: 'Connection' }).waitFor();
  expect(await details.locator('dl').textContent()).toMatch(
    /web\.default\.svc\.cluster\.local:80.*ProtocolHTTP.*Mutual TLSyes.*p50.*ms/,
  );
  await details.getByRole('button', { name: 'Close details' }).click();
  await details.getByRole('heading', { name: 'Mesh' }).waitFor();
  await page.locator(node('istio-ingressgateway')).click();
  await details.getByText('Requests passed on').waitFor();
  expect(await page.locator(`${node('istio-ingressgateway')} .rate`).textContent()).toMatch(/\/s$/);
  expect(complaints).toEqual([]);
  await context.close();
});

test('the graph is walked, opened and left by the keyboard', async () => {
  const { page, context } = await openPage(browser, mesh.console);
  await page.locator('.node[tabindex="0"]').waitFor();
  expect(await page.locator('.node[tabindex="0"]').count()).toBe(1);
  await page.keyboard.press('/');
  await page.keyboard.type('web');
  await expect.poll(() => page.locator('.node.faint').count()).toBe(2);
  await page.keyboard.type('-v2');
  await page.keyboard.press('Enter');
  await page.getByRole('complementary', { name: 'Details' }).getByRole('heading', { name: 'web-v2' }).waitFor();
  await page.getByRole('button', { name: 'Close details' }).click();
  await page.getByRole('searchbox').fill('');
  await page.locator('.node[tabindex="0"]').focus();
  await page.keyboard.press('ArrowLeft');
  await page.keyboard.press('ArrowRight');
  const there = await page.evaluate('document.activeElement.dataset.id');
  expect(there).toMatch(/web-v\d|nobody/);
  await page.keyboard.press('Enter');
  await expect.poll(() => page.locator('.node.selected').getAttribute('data-id')).toBe(there);
  await page.keyboard.press('Escape');
  await expect.poll(() => page.locator('.node.selected').count()).toBe(0);
  await context.close();
});

test('filters narrow the graph down', async () => {
  for (let i = 0; i < 3; i++) await mesh.ask('/nobody');
  const { page, context } = await openPage(browser, mesh.console);
  await page.waitForSelector('.node');
  await page.getByRole('combobox', { name: 'Health' }).selectOption('failing');
  await page.locator('.node[aria-label^="nobody"]:not(.faint)').waitFor();
  // The gateway passed the same on, and may be failing with it.
  await expect.poll(() => page.locator('.node.faint').count()).toBeGreaterThanOrEqual(2);
  await page.locator(`${node('web-v1')}.faint`).waitFor();
  await page.getByRole('combobox', { name: 'Health' }).selectOption('');
  await page.getByRole('combobox', { name: 'Namespace' }).selectOption('istio-system');
  await expect.poll(() => page.locator('.node').count()).toBe(4);
  await context.close();
});

test('a service in rates, errors and durations by version', async () => {
  const { page, context, complaints } = await openPage(browser, mesh.console);
  await page.getByRole('link', { name: 'Services' }).click();
  await page.getByRole('link', { name: 'web.default.svc.cluster.local' }).click();
  const table = page.getByRole('table', { name: 'Requests by version: the last five minutes' });
  await expect.poll(() => table.locator('tbody tr').count()).toBe(2);
  expect(await table.getByRole('row', { name: /v1/ }).textContent()).toMatch(/v1\d+0%.*ms/);
  expect(await page.locator('.chart').count()).toBe(6);
  await page.getByRole('group', { name: 'Requests a second' }).focus();
  await page.keyboard.press('ArrowLeft');
  expect(await page.locator('.tip').textContent()).toMatch(/−5 s.*v1.*\/s.*v2.*\/s/);
  await page.getByRole('link', { name: 'web-v1' }).click();
  await page
    .getByRole('table', { name: 'Requests in: the last five minutes' })
    .getByText('istio-ingressgateway')
    .waitFor();
  expect(complaints).toEqual([]);
  await context.close();
});

test('workloads with their pods, and whether proxies have what they were sent', async () => {
  const { page, context, complaints } = await openPage(browser, mesh.console);
  await page.getByRole('link', { name: 'Workloads' }).click();
  const row = page.getByRole('row', { name: /web-v1/ }).first();
  await expect.poll(() => row.textContent()).toMatch(/default1\/1runningMizzen synced/);
  await row.getByRole('link').click();
  await expect.poll(() => page.locator('.inner').textContent()).toMatch(/web-v1-.*Running.*listener synced/);
  // What a field asks for is read to its end, beside the button that empties it.
  const room = await page.getByRole('searchbox').evaluate((field: HTMLInputElement) => {
    const { font, paddingLeft, paddingRight } = getComputedStyle(field);
    const canvas = document.createElement('canvas').getContext('2d')!;
    canvas.font = font;
    const { width } = canvas.measureText(field.placeholder);
    return field.clientWidth - Number.parseFloat(paddingLeft) - Number.parseFloat(paddingRight) - width;
  });
  expect(room).toBeGreaterThanOrEqual(20);
  await screenshot(page, 'workloads-open');
  expect(complaints).toEqual([]);
  await context.close();
});

test('logs of a workload and of its proxies, as they are written', async () => {
  const { page, context, complaints } = await openPage(browser, `${mesh.console}/#/graph`);
  await page.getByRole('link', { name: 'Logs' }).click();
  await page.getByRole('combobox', { name: 'Workload' }).selectOption('istio-system/istio-ingressgateway');
  await page.getByRole('combobox', { name: 'Source' }).selectOption('access');
  await page.locator('.line').first().waitFor();
  await mesh.ask('/the-newest');
  await page.getByText('/the-newest').waitFor();
  // A full log is moved away and begun anew; what was shown of it stays.
  const path = join(mesh.folder, '.mizzen', 'logs', 'istio-system.istio-ingressgateway.access.log');
  renameSync(path, `${path}.1`);
  writeFileSync(path, 'a line of the new log\n');
  await page.getByText('a line of the new log').waitFor();
  await page.getByRole('searchbox').fill('/the-newest');
  await expect.poll(() => page.locator('.line').count()).toBe(1);
  expect(complaints).toEqual([]);
  await context.close();
});

test('certificates with their ages', async () => {
  const { page, context } = await openPage(browser, `${mesh.console}/#/certificates`);
  const row = page.getByRole('row', { name: /web-v2/ });
  await expect
    .poll(() => row.textContent())
    .toMatch(/\d+ (s|min).*\d+ h \d+ min.*spiffe:\/\/cluster.local\/ns\/default/);
  await context.close();
});

test('proxies with what they have been sent and what they have', async () => {
  const { page, context, complaints } = await openPage(browser, mesh.console);
  await page.getByRole('link', { name: 'Proxies' }).click();
  await page.getByText(/(\d+) of \1 have what they were sent/).waitFor();
  await page.getByRole('searchbox', { name: 'Find a proxy' }).fill('web-v1');
  await expect.poll(() => page.locator('tbody tr').count()).toBe(1);
  await page.getByRole('link', { name: /web-v1-/ }).click();
  await page.getByRole('button', { name: /^Clusters/ }).click();
  await page.getByRole('button', { name: 'outbound|80||web.default.svc.cluster.local' }).click();
  expect(await page.locator('.code').textContent()).toContain('"type": "EDS"');
  expect(complaints).toEqual([]);
  await context.close();
});

test('an address that leads nowhere says so, and lists open what is found first', async () => {
  const { page, context, complaints } = await openPage(browser, `${mesh.console}/#/grahp`);
  await page.getByRole('heading', { name: 'No such page' }).waitFor();
  expect(await page.title()).toBe('No such page · Mizzen');
  expect(await page.locator('.rail [aria-current]').count()).toBe(0);
  expect(await violationsOf(page)).toEqual([]);
  await page.getByRole('link', { name: 'To the service graph' }).click();
  await page.getByRole('heading', { name: 'Service graph' }).waitFor();
  for (const [list, found, sought] of [
    ['services', 'web.default.svc.cluster.local', 'web.d'],
    ['workloads', 'default/web-v2', 'v2'],
  ] as const) {
    await page.goto(`${mesh.console}/#/${list}`);
    await page.locator('tbody tr').first().waitFor();
    await page.keyboard.press('/');
    await page.keyboard.type(sought);
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: found, exact: true }).waitFor();
  }
  expect(complaints).toEqual([]);
  await context.close();
});

test('it goes on by itself when the mesh was gone', async () => {
  const { page, context } = await openPage(browser, mesh.console);
  await page.getByText('Live').waitFor();
  await context.setOffline(true);
  await context.setOffline(false);
  await page.getByText('Live').waitFor();
  await context.close();
});

const PAGES = [
  'graph',
  'workloads',
  'logs?workload=default/web-v1&source=access',
  'certificates',
  'proxies',
  'traffic',
  'config?file=mesh/routes.yaml',
  'services',
  'service?host=web.default.svc.cluster.local',
  'workload?workload=istio-system/istio-ingressgateway',
];
const READY: Readonly<Record<string, string>> = {
  graph: '.edge-label',
  [PAGES[2]!]: '.line',
  traffic: '.routes',
  [PAGES[6]!]: '.editor',
};

for (const scheme of ['light', 'dark'] as const satisfies readonly Scheme[]) {
  test(`everybody can use it (${scheme})`, async () => {
    const { page, context, complaints } = await openPage(browser, mesh.console, scheme);
    for (const name of PAGES) {
      await page.goto(`${mesh.console}/#/${name}`);
      await page.waitForSelector(READY[name] ?? '.page tbody tr');
      await screenshot(page, `${name.split('?')[0]}-${scheme}`);
      expect([name, await violationsOf(page)]).toEqual([name, []]);
    }
    expect(complaints).toEqual([]);
    await context.close();
  }, 120_000);
}

test('every page fits a window as narrow as a telephone', async () => {
  const { page, context, complaints } = await openPage(browser, mesh.console);
  await page.setViewportSize({ width: 390, height: 800 });
  for (const name of PAGES) {
    await page.goto(`${mesh.console}/#/${name}`);
    await page.waitForSelector((READY[name] ?? '.page tbody tr').replace('.edge-label', '.node'));
    await screenshot(page, `${name.split('?')[0]}-narrow`);
    expect([name, await page.evaluate('document.documentElement.scrollWidth')]).toEqual([name, 390]);
    // The menu is above the page, and what is open is in sight.
    const { x, width } = (await page.locator('.rail [aria-current]').boundingBox())!;
    expect([name, x >= 0 && x + width <= 390]).toEqual([name, true]);
    expect([name, (await page.locator('main').boundingBox())!.width]).toEqual([name, 390]);
  }
  expect(complaints).toEqual([]);
  await context.close();
}, 120_000);

test('the theme is kept', async () => {
  const { page, context } = await openPage(browser, mesh.console, 'light');
  const ground = (): Promise<string> => page.evaluate('getComputedStyle(document.body).backgroundColor');
  const light = await ground();
  await page.emulateMedia({ colorScheme: 'dark' });
  await expect.poll(ground).not.toBe(light);
  const dark = await ground();
  await page.getByRole('button', { name: /Change to light/ }).click();
  expect(await ground()).toBe(light);
  await page.emulateMedia({ colorScheme: 'light' });
  await page.getByRole('button', { name: /Change to dark/ }).click();
  await page.reload();
  expect(await page.locator('html').getAttribute('data-theme')).toBe('dark');
  expect(await ground()).toBe(dark);
  await context.close();
});
