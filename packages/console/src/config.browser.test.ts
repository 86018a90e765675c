import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { openBrowser, type Opened, openPage, screenshot, violationsOf } from './testing/browser.ts';
import { Mesh } from './testing/mesh.ts';

const deployment = (version: string): string => `apiVersion: apps/v1
kind: Deployment
metadata: { name: web-${version} }
spec:
  selector: { matchLabels: { app: web, version: ${version} } }
  template:
    metadata: { labels: { app: web, version: ${version} } }
    spec: { containers: [{ name: app, image: x, ports: [{ containerPort: 8080 }] }] }
---
`;
const WORKLOADS = `${deployment('v1')}${deployment('v2')}apiVersion: v1
kind: Service
metadata: { name: web }
spec: { selector: { app: web }, ports: [{ name: http, port: 80, targetPort: 8080 }] }
`;
const INSIDE = `apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: inside }
spec:
  hosts: [web]
  http:
    - route:
        - destination: { host: web, subset: v1 }
`;
const ROUTES = `# How requests reach the two versions
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: { name: front }
spec: { selector: { istio: ingressgateway }, servers: [{ port: { number: 80, name: http, protocol: HTTP }, hosts: ['*'] }] }
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: { name: web }
spec:
  host: web
  subsets:
    - { name: v1, labels: { version: v1 } }
    - { name: v2, labels: { version: v2 } }
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: front }
spec:
  hosts: ['*']
  gateways: [front]
  http:
    - route: # everybody
        - destination: { host: web, subset: v1 }
          weight: 90 # most
        - destination: { host: web, subset: v2 }
          weight: 10
`;

const FILES = { 'inside.yaml': INSIDE, 'routes.yaml': ROUTES, 'workloads.yaml': WORKLOADS };

let browser: Browser;
let mesh: Mesh;
beforeAll(async () => {
  [browser, mesh] = await Promise.all([openBrowser(), Mesh.start(FILES)]);
}, 120_000);
afterAll(async () => {
  await Promise.all([browser?.close(), mesh?.stop()]);
});
// Each begins with the same files, also when it is tried again.
beforeEach(() => {
  for (const [name, text] of Object.entries(FILES)) mesh.write(name, text);
  mesh.remove('limits.yaml');
});

/** A page that may change things. */
async function open(name: string, scheme: 'light' | 'dark' = 'light'): Promise<Opened> {
  const opened = await openPage(browser, await mesh.trusted(), scheme);
  await expect.poll(() => opened.page.evaluate(`sessionStorage.getItem('mizzen-token') !== null`)).toBe(true);
  await opened.page.goto(`${mesh.console}/#/${name}`);
  return opened;
}
const editor = (page: Page): ReturnType<Page['getByRole']> =>
  page.getByRole('textbox', { name: 'Text of mesh/routes.yaml' });

test('a token is asked about before it is kept, and one that is none any more is forgotten', async () => {
  const { page, context } = await openPage(browser, `${mesh.console}/#/config?file=mesh/routes.yaml`);
  await page.getByPlaceholder('Token').fill('not-this-one');
  await page.getByRole('button', { name: 'Use this token' }).click();
  await page.getByRole('alert').getByText('this is not the token of this mesh').waitFor();
  await screenshot(page, 'config-token');
  expect(await violationsOf(page)).toEqual([]);
  expect(await editor(page).isEditable()).toBe(false);
  await page.getByPlaceholder('Token').fill(` ${mesh.token}\n`);
  expect(await page.getByRole('alert').count()).toBe(0);
  await page.keyboard.press('Enter');
  await expect.poll(() => editor(page).isEditable()).toBe(true);
  await page.evaluate(`sessionStorage.setItem('mizzen-token', 'of-another-mesh')`);
  await page.reload();
  await expect.poll(() => page.evaluate(`sessionStorage.getItem('mizzen-token')`)).toBe(null);
  await page.getByPlaceholder('Token').waitFor();
  await context.close();
});

test('what is wrong is opened first, and what is not of the mesh stands below it', async () => {
  mesh.write('compose.yaml', 'services: {}\n');
  const { page, context, complaints } = await openPage(browser, `${mesh.console}/#/config`);
  const files = page.getByRole('navigation', { name: 'Files' });
  await page.getByRole('textbox', { name: 'Text of mesh/inside.yaml' }).waitFor();
  expect(await files.getByRole('link').allTextContents()).toEqual([
    'inside.yaml',
    'routes.yaml',
    'workloads.yaml',
    'compose.yaml',
  ]);
  mesh.write('routes.yaml', ROUTES.replace('weight: 10', 'weight: -1'));
  await files.getByText('■ 1').waitFor();
  // Whoever reads a file goes on reading it.
  await page.getByRole('textbox', { name: 'Text of mesh/inside.yaml' }).waitFor();
  await page.reload();
  await editor(page).waitFor();
  mesh.remove('compose.yaml');
  expect(complaints).toEqual([]);
  await context.close();
});

test('a file is read, with what its resources become', async () => {
  const { page, context, complaints } = await openPage(browser, `${mesh.console}/#/config?file=mesh/routes.yaml`);
  await expect.poll(() => editor(page).inputValue()).toBe(ROUTES);
  await page.getByText('Opened by mizzen dashboard').waitFor();
  expect(await editor(page).isEditable()).toBe(false);
  await page.getByRole('link', { name: 'VirtualService front' }).click();
  await page.getByRole('heading', { name: 'What VirtualService front becomes' }).waitFor();
  await page.locator('summary', { hasText: 'route' }).click();
  await page.getByText(/"weight": 90/).waitFor();
  await screenshot(page, 'config-becomes-light');
  expect(await violationsOf(page)).toEqual([]);
  expect(complaints).toEqual([]);
  await context.close();
});

test('of a file that there is not, that alone is said, and the token is asked for where it always is', async () => {
  const { page, context } = await openPage(browser, `${mesh.console}/#/config?file=mesh/nowhere.yaml`);
  const problem = page.getByRole('alert').filter({ hasText: 'is not a file of this mesh' });
  await problem.waitFor();
  const [said, form] = await Promise.all([problem.boundingBox(), page.locator('.token-form').boundingBox()]);
  expect(said!.y + said!.height).toBeLessThanOrEqual(form!.y);
  expect(form!.height).toBeLessThan(150);
  await screenshot(page, 'config-nowhere');
  expect(await violationsOf(page)).toEqual([]);
  await context.close();
});

test('an edit is checked as it is typed, shown by what it changes, and written', async () => {
  const { page, context, complaints } = await open('config?file=mesh/routes.yaml');
  await expect.poll(() => editor(page).inputValue()).toBe(ROUTES);
  await editor(page).fill(ROUTES.replace('weight: 10', 'weight: -1'));
  await page.getByRole('region', { name: 'What is wrong' }).getByText('error', { exact: true }).waitFor();
  await page.getByRole('button', { name: 'Write it with its errors' }).waitFor();
  expect(await page.locator('.gutter .error').textContent()).toBe('27');
  await screenshot(page, 'config-error-light');
  expect(await violationsOf(page)).toEqual([]);
  const text = ROUTES.replace('weight: 90', 'weight: 0').replace('weight: 10', 'weight: 100');
  await editor(page).fill(text);
  const review = page.getByRole('region', { name: 'What the edit changes' });
  await review.getByText('VirtualService').waitFor();
  await review.getByRole('button', { name: /modified route/ }).click();
  await review
    .getByRole('region', { name: /^route/ })
    .getByText(/"outbound\|80\|v1\|/)
    .first()
    .waitFor();
  expect(mesh.read('routes.yaml')).toBe(ROUTES);
  await page.reload();
  await expect.poll(() => editor(page).inputValue()).toBe(text);
  await screenshot(page, 'config-review-light');
  await page.getByRole('button', { name: 'Write it', exact: true }).click();
  await page.getByText('Written. The mesh takes it from the file.').waitFor();
  expect(mesh.read('routes.yaml')).toBe(text);
  expect(complaints).toEqual([]);
  mesh.write('routes.yaml', ROUTES);
  await expect.poll(() => editor(page).inputValue()).toBe(ROUTES);
  await context.close();
});

test('an edit of a file that changed meanwhile is not written over it, and not lost', async () => {
  const { page, context } = await open('config?file=mesh/routes.yaml', 'dark');
  await expect.poll(() => editor(page).inputValue()).toBe(ROUTES);
  const mine = `${ROUTES}# mine\n`;
  await editor(page).fill(mine);
  mesh.write('routes.yaml', `# theirs\n${ROUTES}`);
  await page.getByText('has changed on disk since this edit began').waitFor();
  expect(await page.getByRole('button', { name: 'Write it' }).isDisabled()).toBe(true);
  expect(await editor(page).inputValue()).toBe(mine);
  await screenshot(page, 'config-stale-dark');
  expect(await violationsOf(page)).toEqual([]);
  await page.getByRole('button', { name: 'Keep my text' }).click();
  await page.getByRole('button', { name: 'Write it', exact: true }).click();
  await page.getByText('Written.').waitFor();
  expect(mesh.read('routes.yaml')).toBe(mine);
  await context.close();
});

test('a slider shifts requests, a form makes faults, and both are YAML first', async () => {
  const { page, context, complaints } = await open('traffic', 'dark');
  await page.getByRole('listitem').filter({ hasText: 'web v2 10%' }).waitFor();
  const front = page.getByRole('region', { name: 'VirtualService default/front' });
  await front.getByRole('link', { name: 'Change' }).click();
  const slider = page.getByRole('slider', { name: 'Share of web v1' });
  await slider.focus();
  for (let i = 0; i < 5; i++) await page.keyboard.press('ArrowLeft');
  const review = page.getByRole('region', { name: 'What the edit changes' });
  await review.getByText('weight: 15').waitFor();
  await page.getByRole('checkbox', { name: 'Abort' }).check();
  await page.getByRole('spinbutton', { name: 'Share of requests aborted, in percent' }).fill('100');
  await page
    .getByRole('textbox', { name: 'Answer of aborted requests' })
    .or(page.getByRole('combobox', { name: 'Answer of aborted requests' }))
    .fill('418');
  await page.getByRole('button', { name: 'Show the change' }).click();
  await review.getByText('httpStatus: 418').waitFor();
  await review.getByRole('button', { name: /modified route/ }).waitFor();
  await screenshot(page, 'traffic-dark');
  expect(await violationsOf(page)).toEqual([]);
  // Each form is labelled and completed by parts of its own.
  const ids = await page.evaluate<string[]>('[...document.querySelectorAll("[id]")].map((each) => each.id)');
  expect(ids.length).toBe(new Set(ids).size);
  // The page scrolls within the window; were the window higher than it is seen, it would scroll, too.
  expect(await page.evaluate('document.scrollingElement.scrollHeight - innerHeight')).toBe(0);
  expect(mesh.read('routes.yaml')).toBe(ROUTES);
  await page.getByRole('button', { name: 'Write it', exact: true }).click();
  await page.getByText('100% answered 418').waitFor();
  const written = mesh.read('routes.yaml');
  expect(written).toContain('weight: 85 # most');
  expect(written).toContain('route: # everybody');
  await expect.poll(() => mesh.ask('/')).toBe(418);
  expect(complaints).toEqual([]);
  await context.close();
});

test('chance decides which of several versions a request is explained for', async () => {
  const { page, context, complaints } = await openPage(browser, `${mesh.console}/#/explain`);
  await page.getByRole('textbox', { name: 'Address' }).fill(mesh.gateway);
  await page.getByRole('button', { name: 'Explain' }).click();
  await page.locator('.verdict', { hasText: 'it reaches the application web-v1.default' }).waitFor();
  await page.getByRole('spinbutton', { name: 'Chance' }).fill('0.95');
  await page.getByRole('button', { name: 'Explain' }).click();
  await page.locator('.verdict', { hasText: 'it reaches the application web-v2.default' }).waitFor();
  // It is in the address, as all else is.
  await page.reload();
  await page.locator('.verdict', { hasText: 'it reaches the application web-v2.default' }).waitFor();
  expect(await page.getByRole('spinbutton', { name: 'Chance' }).inputValue()).toBe('0.95');
  expect(complaints).toEqual([]);
  await context.close();
});

test('a slider moves once the file that it changes has come', async () => {
  const { page, context } = await open('services');
  let go: () => void = () => undefined;
  const held = new Promise<void>((done) => (go = done));
  await page.route('**/api/config/file?*', async (route) => {
    await held;
    await route.continue();
  });
  await page.evaluate("location.hash = '#/traffic?route=default/inside'");
  const slider = page.getByRole('slider', { name: 'Share of web v1' });
  await slider.waitFor();
  expect(await slider.isDisabled()).toBe(true);
  go();
  await slider.fill('70');
  await page.getByRole('region', { name: 'What the edit changes' }).getByText('weight: 30').waitFor();
  await page.unrouteAll({ behavior: 'ignoreErrors' });
  await context.close();
});

test('a version that gets nothing is given something, and less of it, and nothing', async () => {
  const { page, context, complaints } = await open('traffic?route=default/inside');
  const slider = page.getByRole('slider', { name: 'Share of web v1' });
  const review = page.getByRole('region', { name: 'What the edit changes' });
  await slider.fill('70');
  await review.getByText('weight: 30').waitFor();
  await slider.fill('95');
  await review.getByText('weight: 5', { exact: false }).first().waitFor();
  await review.getByText('subset: v2 }').waitFor();
  await page.getByRole('button', { name: 'Write it', exact: true }).click();
  await page.getByRole('listitem').filter({ hasText: 'web v2 5%' }).waitFor();
  expect(mesh.read('inside.yaml')).toBe(
    `${INSIDE}          weight: 95\n        - destination: { host: web, subset: v2 }\n          weight: 5\n`,
  );
  expect(complaints).toEqual([]);
  await context.close();
});

test('a new file is made when it is written', async () => {
  const { page, context, complaints } = await open('config?file=mesh/routes.yaml');
  await page.getByRole('textbox', { name: 'Name of a new file' }).fill('limits.yaml');
  await page.getByRole('button', { name: 'New file' }).click();
  const area = page.getByRole('textbox', { name: 'Text of mesh/limits.yaml' });
  const text = `apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: { name: outside }
spec: { hosts: [outside.example], ports: [{ number: 80, name: http, protocol: HTTP }], resolution: DNS }
`;
  await area.fill(text);
  await page.getByRole('region', { name: 'What the edit changes' }).getByText('ServiceEntry default/outside').waitFor();
  await page.getByRole('button', { name: 'Write it', exact: true }).click();
  await page.getByRole('link', { name: 'limits.yaml' }).waitFor();
  expect(mesh.read('limits.yaml')).toBe(text);
  expect(complaints.filter((each) => !each.includes('404'))).toEqual([]);
  await context.close();
});
