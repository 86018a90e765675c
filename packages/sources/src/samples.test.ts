import { globSync } from 'node:fs';
import { join } from 'node:path';
import { peersFolder } from '@mizzen/testkit';
import { expect, test } from 'vitest';
import { discover } from './discover.ts';
import { readFiles } from './read.ts';

const peers = peersFolder();
const samples = peers && join(peers, 'istio/samples');

if (!samples || globSync('**/*.yaml', { cwd: samples }).length === 0) {
  test("peers are absent: Istio's samples are not read", () => {});
} else {
  test("each of Istio's samples is read without an error; its chart is passed over", async () => {
    const { files, passedOver } = discover([samples]);
    expect(passedOver).toMatchObject([{ file: join(samples, 'ambient-argo/tag-chart') }]);
    expect(files.length).toBeGreaterThan(100);
    for (const file of files) {
      const { diagnostics } = await readFiles([file]);
      expect(diagnostics.filter(({ severity }) => severity === 'error')).toEqual([]);
    }
  });

  test('bookinfo, httpbin and helloworld give what they run', async () => {
    const read = async (...names: string[]): Promise<string[]> => {
      const { snapshot } = await readFiles(names.map((name) => join(samples, name)));
      return snapshot.list('Deployment').map(({ metadata }) => metadata.name);
    };
    expect(await read('bookinfo/platform/kube/bookinfo.yaml', 'bookinfo/networking/destination-rule-all.yaml')).toEqual(
      ['details-v1', 'ratings-v1', 'reviews-v1', 'reviews-v2', 'reviews-v3', 'productpage-v1'],
    );
    expect(await read('httpbin/httpbin.yaml')).toEqual(['httpbin']);
    expect(await read('helloworld/helloworld.yaml')).toEqual(['helloworld-v1', 'helloworld-v2']);
  });

  test.each([
    ['bookinfo/platform/kube/bookinfo.yaml', 'bookinfo/networking'],
    ['httpbin/httpbin.yaml', 'httpbin/httpbin-gateway.yaml'],
    ['helloworld/helloworld.yaml', 'helloworld/helloworld-gateway.yaml'],
  ])('of %s nothing is missed', async (...names) => {
    const { diagnostics } = await readFiles(names.map((name) => join(samples, name)));
    expect(diagnostics.filter(({ code }) => /^MZ120[567]$/.test(code))).toEqual([]);
  });
}

test('of the store nothing is missed', async () => {
  const { diagnostics } = await readFiles([join(import.meta.dirname, '../../../examples/store')]);
  expect(diagnostics).toEqual([]);
});
