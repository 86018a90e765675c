import { freePort } from '@mizzen/testkit';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type GreetServer, protoFolder, startGreetServer } from './testing/grpc-server.ts';
import { loadOf } from './testing/load.ts';

let reflecting: GreetServer;
let silent: GreetServer;
beforeAll(async () => {
  reflecting = await startGreetServer({ reflection: true });
  silent = await startGreetServer({ reflection: false });
});
afterAll(() => {
  reflecting.stop();
  silent.stop();
});

const greet = (port: number, more = ''): string => `
target: http://127.0.0.1:${port}
protocol: grpc
${more}
scenarios:
  hello:
    variables: { user: [ana, ben] }
    steps:
      - call: greet.Greeter/Hello
        message: { userName: '\${user}', kind: WARM }
        metadata: { x-user: '!' }
        capture: { text: $.text }
        expect: { json: { $.text: 'hello \${user}!', $.kind: WARM } }
      - call: greet.Greeter/Hello
        name: nobody
        message: { userName: nobody }
        expect: { status: NOT_FOUND }
`;

test.each(['reflection', 'files'])('by %s: what the server saw is what was sent', async (how) => {
  const server = how === 'files' ? silent : reflecting;
  server.greeted.length = 0;
  const files = `grpc: { proto: ${protoFolder}/greet.proto }`;
  const load = loadOf(greet(server.port, how === 'files' ? files : ''), { rate: 60, seconds: 2, connections: 2 });
  await load.prepare();
  const { requests, steps } = await load.start();
  expect(requests).toMatchObject({ sent: 240, answered: 240, errors: 0, statuses: { OK: 120, NOT_FOUND: 120 } });
  expect(server.greeted).toHaveLength(240);
  expect(steps.map(({ sent }) => sent)).toEqual([120, 120]);
});

test('what cannot be called is said before anything is sent', async () => {
  const one = (port: number, call: string): string =>
    `{ target: "http://127.0.0.1:${port}", protocol: grpc, scenarios: { a: { steps: [{ call: ${call} }] } } }`;
  const trouble = (yaml: string): Promise<unknown> => loadOf(yaml).prepare();
  await expect(trouble(one(reflecting.port, 'greet.Greeter/Bye'))).rejects.toThrow('no method `greet.Greeter/Bye`');
  await expect(trouble(one(reflecting.port, 'greet.Greeter/Many'))).rejects.toThrow(
    '`greet.Greeter/Many` is not unary',
  );
  await expect(trouble(one(reflecting.port, 'greet.Nobody/Hello'))).rejects.toThrow(/greet\.Nobody/);
  await expect(trouble(one(silent.port, 'greet.Greeter/Hello'))).rejects.toThrow('no reflection');
});

test('deadlines and refused connections are errors and no answers', async () => {
  const slow = `
target: http://127.0.0.1:${reflecting.port}
protocol: grpc
scenarios: { a: { steps: [{ call: greet.Greeter/Hello, timeout: 1s, message: { delayMs: 10000 } }] } }`;
  const load = loadOf(slow, { rate: 20 });
  await load.prepare();
  expect((await load.start()).requests).toMatchObject({
    sent: 20,
    answered: 0,
    errors: 20,
    causes: { 'no answer in time': 20 },
  });
  const refused = loadOf(greet(await freePort(), `grpc: { proto: ${protoFolder}/greet.proto }`), {
    rate: 10,
  });
  await refused.prepare();
  expect((await refused.start()).requests).toMatchObject({ sent: 0, errors: 10, causes: { 'connection refused': 10 } });
});
