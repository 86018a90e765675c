/** Peers whose certificates say that their keys are for something else, or what nobody understands, beside real Envoy. */
import { execFile, execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createServer, type Server } from 'node:tls';
import { freePort, startEnvoy } from '@mizzen/testkit';
import { expect, test } from 'vitest';
import { fetchText } from '../filter/testing/beside.ts';
import { bootstrap, hcm, listener, routeTo, staticCluster } from '../process/testing/bootstraps.ts';
import { startProxy } from '../process/testing/standalone.ts';
import { testAuthority } from './testing/certificates.ts';

const TYPE = 'type.googleapis.com/envoy.extensions.transport_sockets.tls.v3';
const folder = mkdtempSync(join(tmpdir(), 'mizzen-usage-'));
const file = (name: string): string => join(folder, name);
const run = (...args: string[]): void => void execFileSync('openssl', args, { cwd: folder, stdio: 'pipe' });
run('ecparam', '-genkey', '-name', 'prime256v1', '-noout', '-out', 'ec.key');
run('genrsa', '-out', 'rsa.key', '2048');

const ca = testAuthority('mesh');
const elsewhere = testAuthority('elsewhere');
const server = ca.issue('server', 'DNS:server.test');
const MESH = [ca.rootFile, join(ca.folder, 'ca.key')] as const;
const ELSEWHERE = [elsewhere.rootFile, join(elsewhere.folder, 'ca.key')] as const;

/** Signs a certificate for one of the two keys; returns its name. */
function issue(
  name: string,
  [by, byKey]: readonly [string, string],
  extensions: string,
  key = 'ec',
  days = 10,
): string {
  run('req', '-new', '-key', `${key}.key`, '-subj', `/O=mesh/CN=${name}`, '-out', `${name}.csr`);
  writeFileSync(file(`${name}.ext`), `subjectAltName=URI:spiffe://mesh/ns/a/sa/client,DNS:server.test\n${extensions}`);
  const signer = ['-CA', by, '-CAkey', byKey, '-CAcreateserial', '-days', `${days}`, '-extfile', `${name}.ext`];
  run('x509', '-req', '-in', `${name}.csr`, ...signer, '-out', `${name}.crt`);
  return name;
}

const SIGNS = 'keyUsage=critical,digitalSignature';
const USAGES = {
  silent: '',
  signs: SIGNS,
  enciphers: 'keyUsage=critical,keyEncipherment',
  agrees: 'keyUsage=critical,keyAgreement',
  vouches: 'keyUsage=critical,keyCertSign,cRLSign',
  nothing: 'keyUsage=DER:03:01:00',
  broken: 'keyUsage=DER:03:05:01',
} as const;
const usages = Object.entries(USAGES);
const own = usages.map(([name, line]) => issue(`own-${name}`, MESH, line));
const foreign = usages.map(([name, line]) => issue(`foreign-${name}`, ELSEWHERE, line));
const late = usages.map(([name, line]) => issue(`late-${name}`, MESH, line, 'ec', -1));
const withRsa = usages.map(([name, line]) => issue(`rsa-${name}`, MESH, line, 'rsa'));
issue('narrow', MESH, 'basicConstraints=critical,CA:TRUE\nextendedKeyUsage=serverAuth');
late.push(
  issue('late-by-narrow', [file('narrow.crt'), file('ec.key')], SIGNS, 'ec', -1),
  issue('late-and-more', MESH, `${SIGNS}\n1.2.3.4.5=critical,DER:05:00`, 'ec', -1),
);

const root = { trustedCa: { filename: ca.rootFile } };
const trustDomains = [{ name: 'mesh', trustBundle: { filename: ca.rootFile } }];
const spiffe = {
  customValidatorConfig: {
    name: 'envoy.tls.cert_validator.spiffe',
    typedConfig: { '@type': `${TYPE}.SPIFFECertValidatorConfig`, trustDomains },
  },
};
const ACCEPT = { trustChainVerification: 'ACCEPT_UNTRUSTED' };
const LISTENERS: readonly (readonly [string, object, readonly string[]])[] = [
  ['verified', root, own],
  ['expired', { ...root, allowExpiredCertificate: true }, late],
  ['accepted', { ...root, ...ACCEPT }, [...own, ...foreign]],
  ['unasked', ACCEPT, foreign],
  ['spiffe', spiffe, [...own, ...foreign]],
  ['spiffe that accepts', { ...spiffe, ...ACCEPT }, [...own, ...foreign]],
];
type Start = (config: object) => Promise<{ stop(): Promise<void> }>;

/** The status of an answer over TLS, or `refused`. */
function attempt(port: number, args: readonly string[]): Promise<string> {
  return new Promise((done) => {
    const child = execFile('openssl', ['s_client', '-connect', `127.0.0.1:${port}`, '-ign_eof', ...args], (_, out) =>
      done(/HTTP\/1.1 (\d+)/.exec(out)?.[1] ?? 'refused'),
    );
    child.stdin?.on('error', () => undefined);
    child.stdin?.write('GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
  });
}

async function clients(start: Start): Promise<Record<string, string>> {
  const ports = new Map<string, number>();
  for (const [name] of LISTENERS) ports.set(name, await freePort());
  const tlsCertificates = [
    { certificateChain: { filename: server.certificateFile }, privateKey: { filename: server.keyFile } },
  ];
  const listeners = LISTENERS.map(([name, validationContext]) => {
    const typedConfig = {
      '@type': `${TYPE}.DownstreamTlsContext`,
      requireClientCertificate: true,
      commonTlsContext: { tlsCertificates, validationContext },
    };
    const filters = [
      hcm([{ match: { prefix: '/' }, directResponse: { status: 200 } }], { delayedCloseTimeout: '0.02s' }),
    ];
    return listener(ports.get(name)!, [{ transportSocket: { name: 'tls', typedConfig }, filters }]);
  });
  const proxy = await start(bootstrap(listeners, []));
  const seen: Record<string, string> = {};
  for (const [name, , certificates] of LISTENERS)
    for (const certificate of certificates)
      for (const version of ['-tls1_2', '-tls1_3']) {
        const more = certificate === 'late-by-narrow' ? ['-cert_chain', file('narrow.crt')] : [];
        const shown = ['-cert', file(`${certificate}.crt`), '-key', file('ec.key'), ...more];
        seen[`${name} ${certificate} ${version}`] = await attempt(ports.get(name)!, [version, ...shown]);
      }
  await proxy.stop();
  return seen;
}

test('clients are refused as by Envoy, whoever vouches for them', { timeout: 240_000 }, async () => {
  const theirs = await clients(startEnvoy);
  const ours = await clients(startProxy);
  expect(ours).toEqual(theirs);
  expect(theirs).toMatchObject({
    'accepted foreign-signs -tls1_3': '200',
    'accepted foreign-agrees -tls1_2': 'refused',
    'spiffe that accepts foreign-signs -tls1_3': 'refused',
    'expired late-signs -tls1_2': '200',
    'expired late-by-narrow -tls1_2': 'refused',
  });
});

const RSA_ALONE = 'AES128-GCM-SHA256';
const WHY = /KEY_USAGE_BIT_INCORRECT|CANNOT_PARSE_LEAF_CERT|CERTIFICATE_VERIFY_FAILED/;

async function serve(certificate: string, ciphers: string | undefined, told: (alert: string) => void): Promise<Server> {
  const key = readFileSync(file(certificate.startsWith('rsa') ? 'rsa.key' : 'ec.key'));
  const options = {
    cert: readFileSync(file(`${certificate}.crt`)),
    key,
    ...(ciphers === undefined ? {} : { ciphers }),
  };
  const serving = createServer(options, (socket) => {
    socket.on('error', (error: NodeJS.ErrnoException) => told(`${error.code}`));
    socket.on('data', () => socket.end('HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok'));
  });
  serving.on('tlsClientError', (error: NodeJS.ErrnoException) => told(`${error.code}`));
  await new Promise<void>((done) => serving.listen(0, '127.0.0.1', done));
  return serving;
}

test('upstreams are refused as by Envoy, whoever vouches for them', { timeout: 120_000 }, async () => {
  const servers: Server[] = [];
  /** How servers hear of it. */
  let alerts: string[] = [];
  const clusters: object[] = [];
  const names: string[] = [];
  const kinds = [
    ...own.map((name) => [name, 'TLSv1_3', undefined] as const),
    ...withRsa.flatMap((name) => [
      [name, 'TLSv1_3', undefined] as const,
      [name, 'TLSv1_2', undefined] as const,
      [name, 'TLSv1_2', RSA_ALONE] as const,
    ]),
  ];
  for (const [certificate, tlsMaximumProtocolVersion, cipher] of kinds) {
    const what = `${certificate} ${tlsMaximumProtocolVersion}`;
    const serving = await serve(certificate, cipher, (alert) => alerts.push(`${what} ${alert}`));
    servers.push(serving);
    const tlsParams = { tlsMaximumProtocolVersion, ...(cipher === undefined ? {} : { cipherSuites: [cipher] }) };
    for (const [context, common] of Object.entries({
      'nobody asked': {},
      verified: { validationContext: root },
      accepted: { validationContext: { ...root, ...ACCEPT } },
    })) {
      const name = `${certificate} ${tlsMaximumProtocolVersion} ${cipher ?? ''} ${context}`;
      const typedConfig = { '@type': `${TYPE}.UpstreamTlsContext`, commonTlsContext: { ...common, tlsParams } };
      const transportSocket = { name: 'tls', typedConfig };
      clusters.push(staticCluster(name, [(serving.address() as AddressInfo).port], { transportSocket }));
      names.push(name);
    }
  }
  const observe = async (start: Start): Promise<Record<string, string>> => {
    const port = await freePort();
    const inlineString = '%UPSTREAM_TRANSPORT_FAILURE_REASON%';
    const more = { localReplyConfig: { bodyFormat: { textFormatSource: { inlineString } } } };
    const routes = names.map((name, i) => routeTo(name, `/${i}/`));
    const proxy = await start(bootstrap([listener(port, [{ filters: [hcm(routes, more)] }])], clusters));
    const seen: Record<string, string> = {};
    for (const [i, name] of names.entries()) {
      const answer = await fetchText(port, `/${i}/`);
      seen[name] = WHY.exec(answer)?.[0] ?? answer;
    }
    await proxy.stop();
    // In TLS 1.3 they are told, whether anybody is asked to vouch for them or not.
    const misused = names.filter((name) => name.includes('TLSv1_3') && /KEY_USAGE|PARSE/.test(seen[name]!));
    const wanted = misused.map((name) => name.split(' ').slice(0, 2).join(' ')).toSorted();
    const toldSo = (): string[] =>
      alerts.flatMap((each) => (each.endsWith('ILLEGAL_PARAMETER') ? each.split(' ').slice(0, 2).join(' ') : []));
    await expect.poll(() => toldSo().toSorted(), { timeout: 20_000 }).toEqual(wanted);
    alerts = [];
    return seen;
  };
  const theirs = await observe(startEnvoy);
  const ours = await observe(startProxy);
  for (const serving of servers) serving.close();
  expect(ours).toEqual(theirs);
  expect(new Set(Object.values(theirs))).toEqual(
    new Set(['ok', 'KEY_USAGE_BIT_INCORRECT', 'CANNOT_PARSE_LEAF_CERT', 'CERTIFICATE_VERIFY_FAILED']),
  );
});
