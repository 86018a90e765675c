import { afterAll, beforeAll, expect, test } from 'vitest';
import type { PreviewAnswer } from '../config/types.ts';
import { ControlProcess } from '../control/testing/control-process.ts';

const MANY = 300;
const service = (i: number): string => `apiVersion: apps/v1
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
spec: { selector: { app: s${i} }, ports: [{ name: http, port: 80, targetPort: 8080 }] }
---
`;
const SERVICES = Array.from({ length: MANY }, (_, i) => service(i)).join('');

let control: ControlProcess;
let api: string;
beforeAll(async () => {
  control = new ControlProcess({ 'services.yaml': SERVICES });
  control.start();
  api = await control.api();
  await control.run();
}, 60_000);
afterAll(() => control.remove());

test('others are answered while an edit is compared for hundreds of proxies', async () => {
  let pending = true;
  const preview = fetch(`${api}/api/config/preview`, {
    method: 'POST',
    headers: { authorization: `Bearer ${control.token}` },
    body: JSON.stringify({ file: 'mesh/services.yaml', text: SERVICES.replace('port: 80,', 'port: 81,') }),
  }).then(async (response) => {
    const answer = (await response.json()) as PreviewAnswer;
    pending = false;
    return answer;
  });
  let others = 0;
  while (pending) {
    expect((await fetch(`${api}/ready`)).status).toBeLessThan(504);
    others++;
  }
  expect(await preview).toMatchObject({ proxies: MANY, resources: { modified: [expect.stringMatching(/s0/)] } });
  // One after the other: in one piece, it would let two or three pass.
  expect(others).toBeGreaterThan(8);
}, 60_000);
