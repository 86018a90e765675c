/** TLS contexts with all that can be said of them, tried with `openssl s_client` against this proxy and the real Envoy. */
import { execFile, execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { get } from 'node:http';
import { tmpdir } from 'node:os';
import { setTimeout as pause } from 'node:timers/promises';
import { join } from 'node:path';
import { freePort, startEnvoy } from '@mizzen/testkit';
import { beforeAll, describe, expect, test } from 'vitest';
import { bootstrap, hcm, listener } from '../process/testing/bootstraps.ts';
import { startProxy } from '../process/testing/standalone.ts';
import { testAuthority, type TestCertificate } from './testing/certificates.ts';

const TYPE = 'type.googleapis.com/envoy.extensions.transport_sockets.tls.v3';
const folder = mkdtempSync(join(tmpdir(), 'mizzen-tls-'));
const file = (name: string): string => join(folder, name);
const run = (...args: string[]): void => void execFileSync('openssl', args, { cwd: folder, stdio: 'pipe' });

const ca = testAuthority('mesh');
const elsewhere = testAuthority('elsewhere');
const server = ca.issue('server', 'DNS:server.test,DNS:*.wild.test');
const second = ca.issue('second', 'DNS:second.test');
const client = ca.issue('client', 'URI:spiffe://mesh/ns/a/sa/client,otherName:1.2.3.4;UTF8:somebody');
const revoked = ca.issue('revoked', 'URI:spiffe://mesh/ns/a/sa/client,otherName:1.2.3.4;UTF8:nobody');
const wild = ca.issue(
  'wild',
  'DNS:*.wild.test,DNS:b*z.part.test,DNS:EXACT.Test,DNS:xn--*.idn.test,DNS:*,DNS:a.*.middle.test,DNS:**.two.test',
);
/** What is asked of a certificate with wildcards. */
const NAMES = [
  'a.wild.test',
  'a_b.wild.test',
  'a.b.wild.test',
  'wild.test',
  '.wild.test',
  'A.WILD.test',
  '*.wild.test',
  'xn--a.wild.test',
  'bxz.part.test',
  'bz.part.test',
  'b.part.test',
  'exact.test',
  'xn--a.idn.test',
  'alone',
  'a.b.middle.test',
  'a.*.middle.test',
  'ab.two.test',
];
const stranger = elsewhere.issue('stranger', 'URI:spiffe://elsewhere/ns/a/sa/client');
const forged = elsewhere.issue('forged', 'URI:spiffe://mesh/ns/a/sa/client');
const late = ca.issue('late', 'URI:spiffe://mesh/ns/a/sa/client', { days: -1 });
const lateStranger = elsewhere.issue('late-stranger', 'URI:spiffe://mesh/ns/a/sa/client', { days: -1 });
const outcast = elsewhere.issue('outcast', 'URI:spiffe://elsewhere/ns/a/sa/outcast');

/** A certificate of the same authority with an RSA key. */
function issueRsa(name: string, san: string): TestCertificate {
  run('req', '-newkey', 'rsa:2048', '-nodes', '-keyout', `${name}.key`, '-subj', `/CN=${name}`, '-out', `${name}.csr`);
  writeFileSync(file(`${name}.ext`), `subjectAltName=${san}\nkeyUsage=critical,digitalSignature,keyEncipherment`);
  const signer = ['-CA', ca.rootFile, '-CAkey', join(ca.folder, 'ca.key'), '-CAcreateserial'];
  run('x509', '-req', '-in', `${name}.csr`, ...signer, '-days', '10', '-extfile', `${name}.ext`, '-out', `${name}.crt`);
  const [certificateFile, keyFile] = [file(`${name}.crt`), file(`${name}.key`)];
  return {
    certificateFile,
    keyFile,
    certificatePem: readFileSync(certificateFile, 'utf8'),
    keyPem: readFileSync(keyFile, 'utf8'),
  };
}

/** An authority below that of the mesh, and a workload of its own. */
function makeBelow(): void {
  const issue = (name: string, by: string, key: string, ...extensions: string[]): void => {
    run('ecparam', '-genkey', '-name', 'prime256v1', '-noout', '-out', `${name}.key`);
    run('req', '-new', '-key', `${name}.key`, '-subj', `/O=mesh/CN=${name}`, '-out', `${name}.csr`);
    writeFileSync(file(`${name}.ext`), extensions.join('\n'));
    const signer = ['-CA', by, '-CAkey', key, '-CAcreateserial', '-extfile', `${name}.ext`];
    run('x509', '-req', '-in', `${name}.csr`, ...signer, '-days', '10', '-out', `${name}.crt`);
  };
  const mayIssue = ['basicConstraints=critical,CA:TRUE,pathlen:0', 'keyUsage=critical,keyCertSign,cRLSign'];
  const mayNot = ['basicConstraints=CA:FALSE', 'keyUsage=critical,digitalSignature'];
  issue('below', ca.rootFile, join(ca.folder, 'ca.key'), ...mayIssue);
  issue('lower', file('below.crt'), file('below.key'), ...mayNot, 'subjectAltName=URI:spiffe://mesh/ns/a/sa/lower');
  // Without a word about what its key may be used for.
  issue('silent', ca.rootFile, join(ca.folder, 'ca.key'), 'subjectAltName=URI:spiffe://mesh/ns/a/sa/silent');
  writeFileSync(file('shuffled.pem'), ca.rootPem + readFileSync(file('below.crt'), 'utf8'));
}

/** Makes a revocation list, a response about `server` and a PKCS#12 archive with `server`. */
function makeFiles(): void {
  const issued = (name: string, status: string, cert: TestCertificate): string => {
    const text = execFileSync('openssl', ['x509', '-in', cert.certificateFile, '-noout', '-serial'], {
      encoding: 'utf8',
    });
    const serial = text.trim().replace('serial=', '');
    return `${status}\t350101000000Z\t${status === 'R' ? '250101000000Z' : ''}\t${serial}\tunknown\t/O=mesh/CN=${name}`;
  };
  writeFileSync(file('index.txt'), `${issued('revoked', 'R', revoked)}\n${issued('server', 'V', server)}\n`);
  writeFileSync(file('index.txt.attr'), '');
  writeFileSync(
    file('ca.cnf'),
    `[ca]\ndefault_ca=d\n[d]\ndatabase=${file('index.txt')}\ndefault_md=sha256\ndefault_crl_days=30\n`,
  );
  const signer = ['-cert', ca.rootFile, '-keyfile', join(ca.folder, 'ca.key')];
  run('ca', '-config', 'ca.cnf', '-gencrl', ...signer, '-out', 'list.pem');
  const serial = execFileSync('openssl', ['x509', '-in', outcast.certificateFile, '-noout', '-serial'], {
    encoding: 'utf8',
  });
  writeFileSync(
    file('index-elsewhere.txt'),
    `R\t350101000000Z\t250101000000Z\t${serial.trim().replace('serial=', '')}\tunknown\t/O=elsewhere/CN=outcast\n`,
  );
  writeFileSync(file('index-elsewhere.txt.attr'), '');
  writeFileSync(
    file('elsewhere.cnf'),
    `[ca]\ndefault_ca=d\n[d]\ndatabase=${file('index-elsewhere.txt')}\ndefault_md=sha256\ndefault_crl_days=30\n`,
  );
  const other = ['-cert', elsewhere.rootFile, '-keyfile', join(elsewhere.folder, 'ca.key')];
  run('ca', '-config', 'elsewhere.cnf', '-gencrl', ...other, '-out', 'other-list.pem');
  const text = (name: string): string => readFileSync(file(name), 'utf8');
  writeFileSync(file('lists.pem'), text('list.pem') + text('other-list.pem'));
  writeFileSync(file('roots.pem'), ca.rootPem + elsewhere.rootPem);
  writeFileSync(file('roots-and-lists.pem'), ca.rootPem + elsewhere.rootPem + text('lists.pem'));
  run('ocsp', '-issuer', ca.rootFile, '-cert', server.certificateFile, '-reqout', 'request.der');
  // Without a time of the next update it counts as too old.
  for (const [name, times] of [
    ['good', ['-nmin', '600']],
    ['old', []],
  ] as const) {
    const by = ['-rsigner', ca.rootFile, '-rkey', join(ca.folder, 'ca.key'), '-CA', ca.rootFile];
    run('ocsp', '-index', 'index.txt', ...by, '-reqin', 'request.der', '-respout', `${name}.der`, ...times);
  }
  const pair = ['-in', server.certificateFile, '-inkey', server.keyFile];
  run('pkcs12', '-export', ...pair, '-passout', 'pass:secret', '-out', 'server.p12');
}

const pair = ({ certificateFile, keyFile }: TestCertificate, more: object = {}): object => ({
  certificateChain: { filename: certificateFile },
  privateKey: { filename: keyFile },
  ...more,
});
const key = (letter: string): object => ({ inlineString: letter.repeat(80) });
const validator = (config: object): object => ({
  name: 'envoy.tls.cert_validator.spiffe',
  typedConfig: { '@type': `${TYPE}.SPIFFECertValidatorConfig`, ...config },
});
const bundleOf = (authority: typeof ca): object => ({
  use: 'x509-svid',
  kty: 'EC',
  x5c: [authority.rootPem.replaceAll(/-----[^-]+-----|\s/g, '')],
});

let listeners: Readonly<Record<string, object>>;

function makeListeners(): Readonly<Record<string, object>> {
  const rsa = issueRsa('rsa', 'DNS:server.test,DNS:rsa.test');
  const common = (commonTlsContext: object, more: object = {}): object => ({
    commonTlsContext: { tlsCertificates: [pair(server)], ...commonTlsContext },
    ...more,
  });
  const mutual = (validationContext: object): object =>
    common({ validationContext }, { requireClientCertificate: true });
  const root = { trustedCa: { filename: ca.rootFile } };
  const staple = (name: string): object =>
    common({ tlsCertificates: [pair(server, { ocspStaple: { filename: file(`${name}.der`) } })] });
  return {
    plain: common({}),
    fips: common({ tlsParams: { compliancePolicies: ['FIPS_202205'] } }),
    several: common({ tlsCertificates: [pair(rsa), pair(server), pair(second)] }),
    'several, all searched': common(
      { tlsCertificates: [pair(rsa), pair(server), pair(second)] },
      { fullScanCertsOnSniMismatch: true },
    ),
    pkcs12: common({
      tlsCertificates: [{ pkcs12: { filename: file('server.p12') }, password: { inlineString: 'secret' } }],
    }),
    tickets: common({}, { sessionTicketKeys: { keys: [key('a'), key('b')] } }),
    'later tickets': common({}, { sessionTicketKeys: { keys: [key('b')] } }),
    'other tickets': common({}, { sessionTicketKeys: { keys: [key('c')] } }),
    'tickets of the mesh': {
      ...mutual(root),
      sessionTicketKeys: { keys: [key('d')] },
    },
    'tickets of elsewhere': {
      ...mutual({ trustedCa: { filename: elsewhere.rootFile } }),
      sessionTicketKeys: { keys: [key('d')] },
    },
    'no tickets': common({}, { disableStatelessSessionResumption: true }),
    'no sessions': common({}, { disableStatelessSessionResumption: true, disableStatefulSessionResumption: true }),
    'needs SNI': common({}, { requireSni: true }),
    staple: staple('good'),
    'old staple': staple('old'),
    'old staple, strict': { ...staple('old'), ocspStaplePolicy: 'STRICT_STAPLING' },
    'old staple, must': { ...staple('old'), ocspStaplePolicy: 'MUST_STAPLE' },
    'no staple, strict': common({}, { ocspStaplePolicy: 'STRICT_STAPLING' }),
    spiffe: mutual({
      customValidatorConfig: validator({
        trustDomains: [
          { name: 'mesh', trustBundle: { filename: ca.rootFile } },
          { name: 'elsewhere', trustBundle: { filename: elsewhere.rootFile } },
        ],
      }),
    }),
    'spiffe, not required': common({
      validationContext: {
        customValidatorConfig: validator({ trustDomains: [{ name: 'mesh', trustBundle: { filename: ca.rootFile } }] }),
      },
    }),
    'names, not required': common({
      validationContext: { ...root, matchTypedSubjectAltNames: [{ sanType: 'URI', matcher: { prefix: 'spiffe://' } }] },
    }),
    'spiffe of no domain': mutual({ customValidatorConfig: validator({}) }),
    'spiffe bundles': mutual({
      customValidatorConfig: validator({
        trustBundles: { inlineString: JSON.stringify({ trust_domains: { mesh: { keys: [bundleOf(ca)] } } }) },
      }),
    }),
    revocation: mutual({ ...root, crl: { filename: file('list.pem') } }),
    'lists of two authorities': mutual({
      trustedCa: { filename: file('roots.pem') },
      crl: { filename: file('lists.pem') },
    }),
    'lists among authorities': mutual({ trustedCa: { filename: file('roots-and-lists.pem') } }),
    'an authority below': mutual({ trustedCa: { filename: file('below.crt') } }),
    'depth 0': mutual({ ...root, maxVerifyDepth: 0 }),
    'depth 1': mutual({ ...root, maxVerifyDepth: 1 }),
    'depth 2': mutual({ ...root, maxVerifyDepth: 2 }),
    'leaf revocation': mutual({ ...root, crl: { filename: file('list.pem') }, onlyVerifyLeafCertCrl: true }),
    'other name': mutual({
      ...root,
      matchTypedSubjectAltNames: [{ sanType: 'OTHER_NAME', oid: '1.2.3.4', matcher: { exact: 'somebody' } }],
    }),
    ...Object.fromEntries(
      NAMES.map((exact) => [
        `DNS name ${exact}`,
        mutual({ ...root, matchTypedSubjectAltNames: [{ sanType: 'DNS', matcher: { exact } }] }),
      ]),
    ),
    'expired allowed': mutual({ ...root, allowExpiredCertificate: true }),
    'expired allowed, not revoked': mutual({
      ...root,
      allowExpiredCertificate: true,
      crl: { filename: file('list.pem') },
    }),
    'old form': mutual({ ...root, matchSubjectAltNames: [{ exact: 'a.wild.test' }] }),
    'old form, in part': mutual({ ...root, matchSubjectAltNames: [{ suffix: '.wild.test' }] }),
    'key log': common({ keyLog: { path: file('keys-of-all') } }),
    'key log of others': common({
      keyLog: { path: file('keys-of-others'), remoteAddressRange: [{ addressPrefix: '10.0.0.0', prefixLen: 8 }] },
    }),
  };
}

const as = (identity: TestCertificate): string[] => ['-cert', identity.certificateFile, '-key', identity.keyFile];
const LOWER = ['-cert', file('lower.crt'), '-key', file('lower.key')];
const SNI = ['-servername', 'server.test'];

/** Listener, and what the client does; in order. */
function makeAttempts(): readonly (readonly [string, ...string[]])[] {
  const resumed = (listener: string, version: string, more: string[] = []): [string, ...string[]][] => [
    [listener, version, ...more, '-sess_out', file('session')],
    [listener, version, ...more, '-sess_in', file('session')],
  ];
  return [
    ['plain', '-tls1_3', '-ciphersuites', 'TLS_CHACHA20_POLY1305_SHA256:TLS_AES_128_GCM_SHA256'],
    ['plain', '-tls1_2', '-cipher', 'ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-ECDSA-AES128-GCM-SHA256'],
    ['plain', '-tls1_2', '-cipher', 'ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305'],
    ['plain', '-groups', 'P-384'],
    ['plain', '-groups', 'P-256:X25519'],
    ['fips', '-tls1_3', '-ciphersuites', 'TLS_CHACHA20_POLY1305_SHA256'],
    ['fips', '-tls1_3', '-ciphersuites', 'TLS_CHACHA20_POLY1305_SHA256:TLS_AES_256_GCM_SHA384'],
    ['fips', '-tls1_2', '-cipher', 'ECDHE-ECDSA-CHACHA20-POLY1305'],
    ['fips', '-tls1_2', '-cipher', 'ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-ECDSA-AES128-GCM-SHA256'],
    ['fips', '-groups', 'X25519'],
    ['fips', '-groups', 'P-384'],
    ...['several', 'several, all searched'].flatMap((name): [string, ...string[]][] => [
      [name, '-noservername'],
      [name, '-servername', 'server.test'],
      [name, '-servername', 'a.wild.test'],
      [name, '-servername', 'SECOND.test'],
      [name, '-servername', 'rsa.test'],
      [name, '-servername', 'unknown.test'],
      [name, '-servername', 'server.test', '-tls1_2', '-cipher', 'ECDHE-RSA-AES128-GCM-SHA256'],
      [name, '-servername', 'second.test', '-sigalgs', 'rsa_pss_rsae_sha256'],
      [name, '-servername', 'server.test', '-sigalgs', 'rsa_pss_rsae_sha256'],
      [name, '-noservername', '-sigalgs', 'rsa_pss_rsae_sha256'],
    ]),
    ['pkcs12'],
    ...['tickets', 'plain', 'no tickets', 'no sessions'].flatMap((name) => [
      ...resumed(name, '-tls1_2', SNI),
      ...resumed(name, '-tls1_2', ['-no_ticket', ...SNI]),
    ]),
    ...['tickets', 'plain'].flatMap((name) => resumed(name, '-tls1_3', SNI)),
    ...['no tickets', 'no sessions'].flatMap((name): [string, ...string[]][] => [
      [name, '-tls1_3', ...SNI],
      // With a ticket of somebody else.
      [name, '-tls1_3', ...SNI, '-sess_in', file('session')],
    ]),
    ['later tickets', '-tls1_2', ...SNI, '-sess_out', file('session')],
    ['tickets', '-tls1_2', ...SNI, '-sess_in', file('session')],
    ['other tickets', '-tls1_2', ...SNI, '-sess_out', file('session')],
    ['tickets', '-tls1_2', ...SNI, '-sess_in', file('session')],
    ...['-tls1_2', '-tls1_3'].flatMap((version): [string, ...string[]][] => [
      ['tickets of elsewhere', version, ...as(stranger), '-sess_out', file('session')],
      ['tickets of elsewhere', version, ...as(stranger), '-sess_in', file('session')],
      ['tickets of the mesh', version, ...as(stranger), '-sess_in', file('session')],
      ['tickets of the mesh', version, ...as(client), '-sess_in', file('session')],
    ]),
    ...['expired allowed', 'expired allowed, not revoked'].flatMap((name) =>
      [client, late, lateStranger, revoked, stranger].map((identity): [string, ...string[]] => [name, ...as(identity)]),
    ),
    ['needs SNI', '-noservername'],
    ['needs SNI', '-servername', 'any.test'],
    ...['staple', 'old staple', 'old staple, strict', 'old staple, must', 'no staple, strict'].flatMap(
      (name): [string, ...string[]][] => [[name], [name, '-status']],
    ),
    ...['spiffe', 'spiffe of no domain', 'spiffe bundles', 'revocation', 'leaf revocation', 'other name'].flatMap(
      (name): [string, ...string[]][] => [
        [name],
        ...[client, revoked, stranger, forged].map((identity): [string, ...string[]] => [name, ...as(identity)]),
      ],
    ),
    ...['spiffe', 'spiffe, not required', 'names, not required', 'revocation'].flatMap(
      (name): [string, ...string[]][] => [
        [name, '-tls1_2'],
        [name, '-tls1_3'],
        [name, '-cert', file('silent.crt'), '-key', file('silent.key')],
        [name, ...as(outcast)],
      ],
    ),
    ...['spiffe', 'spiffe bundles'].flatMap((name) =>
      [ca.rootFile, elsewhere.rootFile].map((shown): [string, ...string[]] => [
        name,
        ...as(forged),
        '-cert_chain',
        shown,
      ]),
    ),
    ...['lists of two authorities', 'lists among authorities'].flatMap((name): [string, ...string[]][] =>
      [client, revoked, stranger, outcast].map((identity) => [name, ...as(identity)]),
    ),
    ...['an authority below', 'depth 0', 'depth 1', 'depth 2', 'spiffe'].flatMap((name): [string, ...string[]][] => [
      [name, ...LOWER],
      [name, ...LOWER, '-cert_chain', file('below.crt')],
      [name, ...LOWER, '-cert_chain', file('shuffled.pem')],
      [name, ...as(client)],
    ]),
    // Whoever was refused has a session all the same.
    ['depth 1', '-tls1_2', ...LOWER, '-cert_chain', file('below.crt'), '-sess_out', file('session')],
    ['depth 1', '-tls1_2', ...LOWER, '-cert_chain', file('below.crt'), '-sess_in', file('session')],
    ...NAMES.map((name): [string, ...string[]] => [`DNS name ${name}`, ...as(wild)]),
    ['old form', ...as(wild)],
    ['old form, in part', ...as(wild)],
    ['key log', '-tls1_2'],
    ['key log of others', '-tls1_2'],
  ];
}

/** Connects, asks once over TLS, and gives what was agreed on in a few words. */
function attempt(port: number, args: readonly string[]): Promise<string> {
  return new Promise((done) => {
    const child = execFile(
      'openssl',
      ['s_client', '-connect', `127.0.0.1:${port}`, '-CAfile', ca.rootFile, '-ign_eof', ...args],
      { timeout: 60_000 },
      (_error, stdout, stderr) => done(summary(stdout + stderr)),
    );
    child.stdin?.on('error', () => undefined);
    child.stdin?.write('GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
  });
}

function summary(text: string): string {
  const find = (pattern: RegExp): string => pattern.exec(text)?.[1] ?? '-';
  return [
    find(/^subject=.*CN = (\S+)/m),
    find(/(?:New|Reused), (\S+), Cipher/),
    find(/Cipher is (\S+)/),
    find(/^(New|Reused), /m),
    // `tickets-once` in differences.md.
    /^Reused, /m.test(text) ? '-' : `${text.match(/New Session Ticket arrived/g)?.length ?? 0} tickets`,
    find(/Server Temp Key: (.*)/),
    find(/OCSP Response Status: (\S+)/),
    find(/HTTP\/1.1 (\d+)/),
  ].join(' | ');
}

async function observe(
  start: (config: object) => Promise<{ readonly adminPort?: number; output(): string; stop(): Promise<void> }>,
): Promise<Map<string, readonly string[]>> {
  const admin = await freePort();
  const ports = new Map<string, number>();
  for (const name of Object.keys(listeners)) ports.set(name, await freePort());
  const route = { match: { prefix: '/' }, directResponse: { status: 200, body: { inlineString: 'ok' } } };
  const proxy = await start({
    ...bootstrap(
      Object.entries(listeners).map(([name, context]) =>
        listener(
          ports.get(name)!,
          [
            {
              transportSocket: {
                name: 'envoy.transport_sockets.tls',
                typedConfig: { '@type': `${TYPE}.DownstreamTlsContext`, ...context },
              },
              filters: [hcm([route], { delayedCloseTimeout: '0.02s' })],
            },
          ],
          { statPrefix: name.replaceAll(/\W/g, '_') },
        ),
      ),
      [],
    ),
    admin: { address: { socketAddress: { address: '127.0.0.1', portValue: admin } } },
  });
  const observed = new Map<string, readonly string[]>();
  for (const [name, ...args] of makeAttempts()) {
    const what = `${name}: ${args.map((arg) => arg.replace(/^.*\//, '')).join(' ')}`;
    observed.set(what, [...(observed.get(what) ?? []), await attempt(ports.get(name)!, args)]);
  }
  const stats = await fetchText(proxy.adminPort ?? admin, '/stats');
  observed.set(
    'stats',
    stats
      .split('\n')
      .filter((line) =>
        /\.ssl\.(ocsp_\w+|session_reused|no_certificate|fail_verify_no_cert): |\.old_staple\w*\.ssl\.connection_error: /.test(
          line,
        ),
      ),
  );
  // Keys are written by a thread of their own.
  for (let i = 0; i < 40 && (!existsSync(file('keys-of-all')) || readFileSync(file('keys-of-all'), 'utf8') === ''); i++)
    await pause(50);
  await proxy.stop();
  for (const name of ['keys-of-all', 'keys-of-others']) {
    const text = existsSync(file(name)) ? readFileSync(file(name), 'utf8') : '';
    observed.set(name, [text.replaceAll(/[0-9a-f]{8,}/g, 'HEX')]);
    writeFileSync(file(name), '');
  }
  return observed;
}

function fetchText(port: number, path: string): Promise<string> {
  return new Promise((resolve, reject) => {
    get({ port, host: '127.0.0.1', path, agent: false }, (response) => {
      let body = '';
      response.on('data', (chunk: Buffer) => (body += chunk.toString()));
      response.on('end', () => resolve(body));
    }).on('error', reject);
  });
}

let theirs: Map<string, readonly string[]>;
let ours: Map<string, readonly string[]>;
beforeAll(async () => {
  makeBelow();
  makeFiles();
  listeners = makeListeners();
  theirs = await observe(startEnvoy);
  ours = await observe(startProxy);
}, 240_000);

describe('TLS contexts do as Envoy’s', () => {
  const names = [...new Set(makeAttempts().map(([name]) => name)), 'stats', 'keys-of-all', 'keys-of-others'];
  test.each(names)('%s', (name) => {
    const of = (all: Map<string, readonly string[]>): object =>
      Object.fromEntries([...all].filter(([what]) => what === name || what.startsWith(`${name}: `)));
    expect(of(ours)).toEqual(of(theirs));
    expect(Object.keys(of(theirs))).not.toHaveLength(0);
  });
});

test('how long the first stapled response lasts is told', { timeout: 60_000 }, async () => {
  const left = async (
    start: (config: object) => Promise<{ readonly adminPort?: number; stop(): Promise<void> }>,
  ): Promise<number> => {
    const [admin, port] = [await freePort(), await freePort()];
    const typedConfig = { '@type': `${TYPE}.DownstreamTlsContext`, ...listeners['staple'] };
    const filters = [hcm([{ match: { prefix: '/' }, directResponse: { status: 200 } }])];
    const proxy = await start({
      ...bootstrap([listener(port, [{ transportSocket: { name: 'tls', typedConfig }, filters }])], []),
      admin: { address: { socketAddress: { address: '127.0.0.1', portValue: admin } } },
    });
    const stats = await fetchText(proxy.adminPort ?? admin, '/stats?filter=first_ocsp_response_expiring');
    await proxy.stop();
    return Number(stats.split(': ')[1]);
  };
  const [theirs, ours] = [await left(startEnvoy), await left(startProxy)];
  expect(theirs).toBeGreaterThan(60);
  expect(Math.abs(theirs - ours)).toBeLessThan(60);
});
