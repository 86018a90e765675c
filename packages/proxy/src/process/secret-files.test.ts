/** Certificates in files that change the way Kubernetes changes a mounted folder: beside the real Envoy. */
import { mkdirSync, mkdtempSync, renameSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { connect } from 'node:tls';
import { freePort, startEnvoy } from '@mizzen/testkit';
import { expect, test } from 'vitest';
import { fetchText } from '../filter/testing/beside.ts';
import { testAuthority, type TestCertificate } from '../tls/testing/certificates.ts';
import { bootstrap, hcm, listener } from './testing/bootstraps.ts';
import { startWithAdmin } from './testing/standalone.ts';

const TLS = 'type.googleapis.com/envoy.extensions.transport_sockets.tls.v3';
const ca = testAuthority();
const first = ca.issue('first', 'DNS:a.test');
const second = ca.issue('second', 'DNS:a.test');
const third = ca.issue('third', 'DNS:a.test');

/** Puts a pair into a folder by turning a symbolic link round. */
function mount(folder: string, { certificatePem, keyPem }: TestCertificate, generation: string): void {
  mkdirSync(join(folder, generation), { recursive: true });
  writeFileSync(join(folder, generation, 'tls.crt'), certificatePem);
  writeFileSync(join(folder, generation, 'tls.key'), keyPem);
  symlinkSync(generation, join(folder, '..data_tmp'));
  renameSync(join(folder, '..data_tmp'), join(folder, '..data'));
  for (const name of ['tls.crt', 'tls.key']) {
    try {
      symlinkSync(join('..data', name), join(folder, name));
    } catch {
      // It has been there since the first generation.
    }
  }
}

function shown(port: number): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1', servername: 'a.test', rejectUnauthorized: false });
    socket.once('secureConnect', () => {
      resolve(String(socket.getPeerCertificate().subject.CN));
      socket.destroy();
    });
    socket.on('error', () => resolve('nothing'));
  });
}

/** What is shown, once it is another one than before or half a second has passed. */
async function shownNext(port: number, before: string): Promise<string> {
  for (let i = 0; i < 10; i++) {
    const now = await shown(port);
    if (now !== before) return now;
    await pause(50);
  }
  return before;
}

type Start = (config: object) => Promise<{ readonly admin: number; stop(): Promise<void> }>;

async function observe(start: Start): Promise<string[]> {
  const folder = mkdtempSync(join(tmpdir(), 'mizzen-secret-'));
  const watchedFolder = mkdtempSync(join(tmpdir(), 'mizzen-watched-'));
  const ports = [await freePort(), await freePort()];
  mount(folder, first, '..1');
  const secret = (name: string, more: object): object => ({
    '@type': `${TLS}.Secret`,
    name,
    tlsCertificate: {
      certificateChain: { filename: join(folder, 'tls.crt') },
      privateKey: { filename: join(folder, 'tls.key') },
      ...more,
    },
  });
  const sources = mkdtempSync(join(tmpdir(), 'mizzen-sds-'));
  const write = (name: string, more: object): void =>
    writeFileSync(join(sources, `${name}.json`), JSON.stringify({ resources: [secret(name, more)] }));
  write('plain', {});
  write('watched', { watchedDirectory: { path: watchedFolder } });
  const socket = (name: string): object => ({
    name: 'envoy.transport_sockets.tls',
    typedConfig: {
      '@type': `${TLS}.DownstreamTlsContext`,
      commonTlsContext: {
        tlsCertificateSdsSecretConfigs: [
          {
            name,
            sdsConfig: { pathConfigSource: { path: join(sources, `${name}.json`) }, resourceApiVersion: 'V3' },
          },
        ],
      },
    },
  });
  const proxy = await start({
    node: { id: 'a', cluster: 'a' },
    ...bootstrap(
      ['plain', 'watched'].map((name, i) =>
        listener(ports[i]!, [{ transportSocket: socket(name), filters: [hcm([])] }]),
      ),
      [],
    ),
  });
  const seen = [await shown(ports[0]!), await shown(ports[1]!)];
  mount(folder, second, '..2');
  seen.push(await shownNext(ports[0]!, 'first'), await shownNext(ports[1]!, 'first'));
  writeFileSync(join(watchedFolder, 'new'), '');
  renameSync(join(watchedFolder, 'new'), join(watchedFolder, 'done'));
  seen.push(await shownNext(ports[1]!, 'first'));
  // A key that is not the certificate's: what was there stays.
  mount(folder, { ...third, keyPem: first.keyPem }, '..3');
  seen.push(await shownNext(ports[0]!, 'second'));
  const counts = await fetchText(proxy.admin, '/stats?filter=(key_rotation_failed|update_by_sds)');
  seen.push(counts.replaceAll(/_\d+(?=\.server)/g, ''));
  mount(folder, third, '..4');
  seen.push(await shownNext(ports[0]!, 'second'));
  seen.push(
    await fetchText(proxy.admin, '/stats?filter=^sds.*(key_rotation_failed|update_(success|rejected|failure))'),
  );
  await proxy.stop();
  return seen;
}

test('a secret is read again when its files are moved to', async () => {
  const theirs = await observe(async (config) => {
    const envoy = await startEnvoy(config);
    return { admin: envoy.adminPort, stop: () => envoy.stop() };
  });
  expect(theirs.slice(0, 5)).toEqual(['first', 'first', 'second', 'first', 'second']);
  expect(await observe(startWithAdmin)).toEqual(theirs);
}, 60_000);
