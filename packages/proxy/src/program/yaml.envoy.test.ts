/** What scalars of YAML are, as the real Envoy reads them into a Struct. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { spawn } from 'node:child_process';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { envoyBinary, freePort } from '@mizzen/testkit';
import { expect, test } from 'vitest';
import { readYaml } from './yaml.ts';

const SCALARS =
  `1.5 yes "yes" On y N oFF TRUE tRUE 010 08 0o10 0x1F -0x1F +5 1e3 1_000 2147483647 2147483648 -2147483648 -2147483649 0xFFFFFFFF 9007199254740992
  -9007199254740993 0x20000000000001 99999999999999999999 2020-01-01 .inf .nan ~ Null nULL 0b11 '5' -0 -0.0 5. 12:30
  <<`.split(/\s+/);

test('scalars', { timeout: 30_000 }, async () => {
  const folder = mkdtempSync(join(tmpdir(), 'mizzen-yaml-'));
  const port = await freePort();
  const text = `
admin: { address: { socketAddress: { address: 127.0.0.1, portValue: ${port} } } }
node:
  id: a
  cluster: b
  metadata:
    empty:
    on: On
    y: y
    010: a
    2.5: b
    !!int 7: c
    twice: [&a yes, *a]
    &b off: *b
    tagged: !!int "5"
    fraction: !!float 5
    block: |
      5
    list:
${SCALARS.map((scalar) => `      - ${scalar}\n`).join('')}`;
  const file = join(folder, 'bootstrap.yaml');
  writeFileSync(file, text);
  const envoy = spawn(envoyBinary(), ['-c', file, '--concurrency', '1', '--use-dynamic-base-id'], { stdio: 'ignore' });
  const ended = new Promise((resolve) => envoy.once('exit', resolve));
  try {
    await expect.poll(() => nodeOf(port), { timeout: 20_000 }).toBeDefined();
    const read = await nodeOf(port);
    expect((readYaml(text) as { readonly node: { readonly metadata: object } }).node.metadata).toEqual(read);
  } finally {
    envoy.kill();
    await ended;
    rmSync(folder, { recursive: true });
  }
});

/** The metadata of the node that an Envoy has; undefined: it does not answer yet. */
async function nodeOf(port: number): Promise<unknown> {
  const answer = await fetch(`http://127.0.0.1:${port}/config_dump`).catch(() => undefined);
  if (answer?.ok !== true) return undefined;
  const dump = (await answer.json()) as { configs: { bootstrap?: { node: { metadata: unknown } } }[] };
  return dump.configs[0]?.bootstrap?.node.metadata;
}
