import { freePort } from '@mizzen/testkit';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ControlProcess } from './testing/control-process.ts';
import { Heap } from './testing/heap.ts';

const SERVICES = 50;
const each = (text: (i: number) => string): string => Array.from({ length: SERVICES }, (_, i) => text(i)).join('');
/** What runs, with a port of the first service. */
const workloads = (port: number): string =>
  each(
    (i) => `apiVersion: apps/v1
kind: Deployment
metadata: { name: s${i} }
spec:
  selector: { matchLabels: { app: s${i} } }
  template:
    metadata: { labels: { app: s${i} } }
    spec: { containers: [{ name: app, ports: [{ containerPort: 8080 }] }] }
---
apiVersion: v1
kind: Service
metadata: { name: s${i} }
spec: { selector: { app: s${i} }, ports: [{ name: http, port: ${i === 0 ? port : 80}, targetPort: 8080 }] }
---
`,
  );
const routes = (timeout: number): string =>
  each(
    (i) => `apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: s${i} }
spec: { hosts: [s${i}], http: [{ timeout: ${timeout}s, route: [{ destination: { host: s${i} } }] }] }
---
`,
  );

/** Machine code that is made better while it runs would be counted, too. */
const COMPILED_ONCE = ['--always-sparkplug', '--no-maglev', '--no-opt', '--no-flush-bytecode'];

let control: ControlProcess;
let heap: Heap;
beforeAll(async () => {
  control = new ControlProcess({ 'workloads.yaml': workloads(80), 'routes.yaml': routes(5) });
  const port = await freePort();
  control.start({}, [`--inspect=127.0.0.1:${port}`, ...COMPILED_ONCE]);
  await control.run();
  await control.connect();
  heap = await Heap.open(port);
}, 60_000);
afterAll(async () => {
  heap?.close();
  await control?.remove();
});

test('edits, looks at what they would do and at what there is leave nothing behind in the control process', async () => {
  const api = await control.api();
  let edits = 0;
  const edit = async (): Promise<void> => {
    const before = control.messages.length;
    edits++;
    if (edits % 4 === 0) control.write('workloads.yaml', workloads(80 + edits));
    else control.write('routes.yaml', routes(5 + edits));
    await control.saw('change', before);
    const body = JSON.stringify({ file: 'mesh/routes.yaml', text: routes(1000 + edits) });
    const headers = { authorization: `Bearer ${control.token}` };
    const preview = await fetch(`${api}/api/config/preview`, { method: 'POST', headers, body });
    expect(await preview.json()).toMatchObject({ proxies: SERVICES });
    await (await fetch(`${api}/api/config/status`)).arrayBuffer();
  };
  /** The least of some, for all else is what is just being worked on. */
  const quarter = async (): Promise<number> => {
    const used: number[] = [];
    for (let part = 0; part < 4; part++) {
      for (let i = 0; i < 8; i++) await edit();
      used.push(await heap.used());
    }
    return Math.min(...used);
  };
  await quarter();
  const second = await quarter();
  await quarter();
  const last = await quarter();
  if (process.env.MIZZEN_GROWTH !== undefined) console.log(second, last, last - second);
  // Bytes, of 64 edits and as many looks: a snapshot kept of each would be thirty million.
  expect(last - second).toBeLessThan(1_000_000);
}, 240_000);
