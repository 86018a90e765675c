import { expect, test } from 'vitest';
import { loadOf } from './testing/load.ts';
import { startTarget } from './testing/target.ts';

test.each(['http://[', 'ftp://127.0.0.1/', 'mailto:nobody@example.com'])(
  'a redirect to `%s` is an answer that is counted, and an error',
  async (location) => {
    let seen = 0;
    const target = await startTarget((_, response) => {
      seen++;
      response.writeHead(302, { location }).end();
    });
    const load = loadOf(
      `{ target: "${target.url}", scenarios: { a: { steps: [{ url: /, redirects: 2 }, { url: /next }] } } }`,
      { rate: 10 },
    );
    await load.prepare();
    const { requests } = await load.start();
    target.close();
    expect(seen).toBe(10);
    expect(requests).toMatchObject({ sent: 10, statuses: { 302: 10 }, errors: 10 });
    expect(requests.causes).toEqual({ 'redirect to no URL of HTTP': 10 });
  },
);

test('a target that is no URL once its variables are filled in is an error of its requests', async () => {
  const load = loadOf(`
variables: { host: "[" }
scenarios: { a: { target: "http://\${host}", protocol: grpc, steps: [{ call: kind.Kind/Get }] } }`);
  await load.prepare();
  const { requests } = await load.start();
  expect(requests).toMatchObject({ sent: 0, errors: 50, causes: { 'not a URL': 50 } });
});
