import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { downstreamTls, hcm, listener, routeTo, tcpProxy } from '../../process/testing/bootstraps.ts';
import { testAuthority } from '../../tls/testing/certificates.ts';
import { compileListener } from '../index.ts';
import { testDeps } from '../testing/deps.ts';

const deps = { ...testDeps, readFile: (path: string) => readFileSync(path) };
const ca = testAuthority();
const transportSocket = downstreamTls(ca.issue('server', 'DNS:server.test'), ca.rootFile, { alpn: ['h2', 'http/1.1'] });

test('HTTP/2 is agreed on for bytes alone', () => {
  const agreed = (filter: object): unknown => {
    const { program, nacks } = compileListener(listener(1, [{ filters: [filter], transportSocket }]), deps);
    expect(nacks ?? []).toEqual([]);
    return program?.chains[0]?.tls?.alpnProtocols;
  };
  expect(agreed(hcm([routeTo('app')]))).toEqual(['http/1.1']);
  expect(agreed(tcpProxy('app'))).toEqual(['h2', 'http/1.1']);
});
