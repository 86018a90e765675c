import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { freePort, startEnvoyFile } from '@mizzen/testkit';
import { startProxy } from './testing/standalone.ts';

const FORMAT =
  '%REQ(:METHOD)% %REQ(:PATH)% %RESPONSE_CODE% %RESPONSE_CODE_DETAILS% %RESPONSE_FLAGS% %PROTOCOL% %BYTES_RECEIVED% ' +
  '%REQ(X-A)% %UPSTREAM_HOST% %UPSTREAM_CLUSTER% %DOWNSTREAM_DIRECT_REMOTE_ADDRESS_WITHOUT_PORT% ' +
  '%REQ(X-FORWARDED-FOR)% %REQ(X-FORWARDED-PROTO)% %REQ(X-ENVOY-EXTERNAL-ADDRESS)% %RESP(CACHE-CONTROL)% %RESP(SERVER)% ' +
  '%REQUEST_HEADERS_BYTES% %RESPONSE_HEADERS_BYTES% %DOWNSTREAM_HEADER_BYTES_RECEIVED% ' +
  '%DOWNSTREAM_WIRE_BYTES_RECEIVED% %DOWNSTREAM_HEADER_BYTES_SENT%\n';

async function observe(
  start: (config: object, port: number) => Promise<{ stop(): Promise<void> }>,
  byPath: boolean,
): Promise<string[]> {
  const folder = mkdtempSync(join(tmpdir(), 'mizzen-admin-log-'));
  const [port, file] = [await freePort(), join(folder, 'log')];
  const log = {
    name: 'file',
    filter: { headerFilter: { header: { name: 'x-quiet', presentMatch: true, invertMatch: true } } },
    typedConfig: {
      '@type': 'type.googleapis.com/envoy.extensions.access_loggers.file.v3.FileAccessLog',
      path: file,
      logFormat: { textFormatSource: { inlineString: FORMAT } },
    },
  };
  const admin = {
    address: { socketAddress: { address: '127.0.0.1', portValue: port } },
    ...(byPath ? { accessLogPath: file } : { accessLog: [log] }),
  };
  const proxy = await start({ admin }, port);
  const ask = async (path: string, init?: RequestInit): Promise<unknown> =>
    (await fetch(`http://127.0.0.1:${port}${path}`, init)).text();
  try {
    await vi.waitFor(() => ask('/ready'), { timeout: 20_000, interval: 50 });
    await ask('/server_info', { headers: { 'x-a': 'b' } });
    await ask('/nothing?a=b');
    await ask('/logging');
    await ask('/logging', { method: 'POST', headers: { 'x-quiet': '1' } });
    await ask('/stats?filter=none', { headers: { 'x-a': 'last' } });
    await vi.waitFor(() => expect(readFileSync(file, 'utf8')).toContain('filter=none'), {
      timeout: 40_000,
      interval: 100,
    });
  } finally {
    await proxy.stop();
  }
  // Whoever waits for it to start asks whether it is ready.
  const lines = readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => !line.includes(' /ready '))
    // When, how long it took, and how much there is to say.
    .map((line) =>
      line
        .replaceAll(String(port), 'PORT')
        .replace(/^\[.*?\]/, 'TIME')
        .replace(/(?<= - \d+) \d+ \d+/, ' BYTES MS'),
    );
  rmSync(folder, { recursive: true });
  return lines;
}

test.each([false, true])(
  'requests to the admin endpoint are logged as Envoy logs them, by path: %s',
  async (byPath) => {
    const theirs = await observe((config, port) => {
      const file = join(mkdtempSync(join(tmpdir(), 'mizzen-admin-envoy-')), 'envoy.json');
      writeFileSync(file, JSON.stringify(config));
      return startEnvoyFile(file, port, ['--file-flush-interval-msec', '100']);
    }, byPath);
    expect(theirs).toHaveLength(byPath ? 6 : 5);
    expect(await observe((config) => startProxy(config), byPath)).toEqual(theirs);
  },
  120_000,
);
