import { copyFileSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { peersFolder } from '@mizzen/testkit';
import { ENGINES } from './lib/engines.ts';
import { fromWorkload, type Sender } from './lib/from-workload.ts';
import { up, type Mesh } from './lib/mesh.ts';

const peers = peersFolder();
const samples = peers === undefined ? undefined : join(peers, 'istio/samples');

// The samples are somebody else's files and no part of this repository.
it.runIf(samples === undefined)(
  'Istio samples are absent (MIZZEN_PEERS): bookinfo, httpbin and helloworld were not tried',
  () => {
    expect(existsSync(join(peers ?? '/nonexistent', 'istio/samples'))).toBe(false);
  },
);

const engines = samples === undefined ? [] : ENGINES;

describe.each(engines)('bookinfo, as Istio ships it, on stand-ins, %s', (engine) => {
  const folder = mkdtempSync(join(tmpdir(), 'mizzen-bookinfo-'));
  const put = (file: string, as: string): void => copyFileSync(join(samples!, 'bookinfo', file), join(folder, as));
  let mesh: Mesh;
  let productpage: Sender;
  let reviews: Sender;

  beforeAll(async () => {
    put('platform/kube/bookinfo.yaml', 'bookinfo.yaml');
    put('networking/bookinfo-gateway.yaml', 'gateway.yaml');
    put('networking/destination-rule-all.yaml', 'rules.yaml');
    put('networking/virtual-service-all-v1.yaml', 'routes.yaml');
    const onEnvoy = ['istio-ingressgateway', 'productpage-v1', 'reviews-v2', 'ratings-v1'];
    mesh = await up([folder], { serverPort: 8080, engine, onEnvoy });
    productpage = await fromWorkload(mesh, 'default', 'productpage-v1');
    reviews = await fromWorkload(mesh, 'default', 'reviews-v1');
  });
  afterAll(async () => {
    await mesh?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  async function switchTo(file: string): Promise<void> {
    const from = mesh.output().length;
    put(`networking/${file}`, 'routes.yaml');
    await mesh.saw(/concerned ha(s|ve) it/, from);
  }
  /** Versions of reviews that answered `count` requests. */
  async function versions(count: number, headers: Record<string, string> = {}): Promise<Record<string, number>> {
    const seen: Record<string, number> = {};
    for (let i = 0; i < count; i++) {
      const { body } = await productpage.get('http://reviews:9080/reviews/0', headers);
      const { version } = JSON.parse(body) as { version: string };
      seen[version] = (seen[version] ?? 0) + 1;
    }
    return seen;
  }

  it('answers through the gateway', async () => {
    const { status, body } = await mesh.get('/productpage');
    expect(status).toBe(200);
    expect(body).toContain('productpage');
  });

  it('all v1', async () => {
    expect(await versions(40)).toEqual({ v1: 40 });
  });

  it('jason gets v2, the others v1', async () => {
    await switchTo('virtual-service-reviews-test-v2.yaml');
    expect(await versions(20, { 'end-user': 'jason' })).toEqual({ v2: 20 });
    expect(await versions(20)).toEqual({ v1: 20 });
  });

  it('50/50 between v1 and v3', async () => {
    await switchTo('virtual-service-reviews-50-v3.yaml');
    const { v1 = 0, v2 = 0, v3 = 0 } = await versions(400);
    expect(v2).toBe(0);
    expect(v1 + v3).toBe(400);
    // Four standard deviations.
    expect(Math.abs(v1 - 200)).toBeLessThan(40);
  });

  it('90/10 between v1 and v2', async () => {
    await switchTo('virtual-service-reviews-90-10.yaml');
    const { v1 = 0, v2 = 0, v3 = 0 } = await versions(400);
    expect(v3).toBe(0);
    expect(v1 + v2).toBe(400);
    expect(Math.abs(v2 - 40)).toBeLessThan(24);
  });

  it('delays ratings by 7 s for jason', async () => {
    await switchTo('virtual-service-ratings-test-delay.yaml');
    const started = performance.now();
    const delayed = await reviews.get('http://ratings:9080/ratings/0', { 'end-user': 'jason' });
    const took = performance.now() - started;
    expect(delayed.status).toBe(200);
    expect(took).toBeGreaterThan(6990);
    const quick = performance.now();
    expect((await reviews.get('http://ratings:9080/ratings/0')).status).toBe(200);
    // Nobody else waits.
    expect(performance.now() - quick).toBeLessThan(6990);
  });

  it('aborts ratings with 500 for jason', async () => {
    await switchTo('virtual-service-ratings-test-abort.yaml');
    const aborted = await reviews.get('http://ratings:9080/ratings/0', { 'end-user': 'jason' });
    expect(aborted).toMatchObject({ status: 500, body: 'fault filter abort' });
    expect((await reviews.get('http://ratings:9080/ratings/0')).status).toBe(200);
  });
});

describe.each(engines)('other samples of Istio, with nothing added, %s', (engine) => {
  it.each([
    ['httpbin', ['httpbin/httpbin.yaml', 'httpbin/httpbin-gateway.yaml'], '/status/200'],
    ['helloworld', ['helloworld/helloworld.yaml', 'helloworld/helloworld-gateway.yaml'], '/hello'],
  ])('%s answers through its gateway', async (_name, files, path) => {
    const paths = files.map((file) => join(samples!, file));
    const mesh = await up(paths, { engine, onEnvoy: ['istio-ingressgateway', 'helloworld-v1'] });
    try {
      expect(mesh.output()).not.toMatch(/error\[/);
      expect((await mesh.get(path)).status).toBe(200);
    } finally {
      await mesh.stop();
    }
  });
});
