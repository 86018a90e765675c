import { spawnSync } from 'node:child_process';
import { existsSync, globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { get } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { envoyBinary, freePort, peersFolder } from '@mizzen/testkit';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { runProxy } from '../proxy/testing/run-proxy.ts';

const MIZZEN = fileURLToPath(new URL('../../bin/mizzen.mjs', import.meta.url));
let directory: string;
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'mizzen-proxy-command-'));
});
afterAll(() => rmSync(directory, { recursive: true }));

function run(...args: string[]): { status: number | null; stdout: string; stderr: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, [MIZZEN, 'proxy', ...args], {
    encoding: 'utf8',
    timeout: 60_000,
  });
  return { status, stdout, stderr: stderr.replaceAll(directory, 'DIR') };
}

function file(name: string, text: string): string {
  const path = join(directory, name);
  writeFileSync(path, text);
  return path;
}

const text = (port: number, path: string): Promise<string> =>
  new Promise((resolve, reject) => {
    get({ host: '127.0.0.1', port, path, agent: false }, (response) => {
      let body = '';
      response.on('data', (data: Buffer) => (body += data.toString()));
      response.on('end', () => resolve(body));
    }).on('error', reject);
  });

test('flags that ask for what cannot be had, and values that are none, are said by name', () => {
  const bootstrap = file('empty.yaml', '{}');
  const refused = (...args: string[]): string => {
    const { status, stderr } = run('-c', bootstrap, ...args);
    expect(status).toBe(2);
    return stderr.split('\n')[0]!;
  };
  expect(refused('--restart-epoch', '1')).toBe(
    'mizzen proxy: --restart-epoch: there is no hot restart: only 0 is taken',
  );
  expect(refused('--mode', 'check')).toBe('mizzen proxy: --mode: `check` is none of serve, validate, init_only');
  expect(refused('--concurrency', 'many')).toBe(
    'mizzen proxy: --concurrency: `many` is not a whole number up to 4294967295',
  );
  expect(refused('--base-id', '4294967296')).toContain('--base-id: `4294967296` is not a whole number up to');
  expect(refused('-l', 'loud')).toBe('mizzen proxy: --log-level: `loud` is not a level');
  expect(refused('--component-log-level', 'nobody:info')).toContain('there is no component `nobody`');
  expect(refused('--component-log-level', 'upstream')).toContain('`upstream` is not NAME:LEVEL');
  expect(refused('--stats-tag', 'a_b:c')).toBe('mizzen proxy: --stats-tag: `a_b:c` is not TAG:VALUE');
  expect(refused('--service-node', 'a', '--service-node', 'b')).toBe('mizzen proxy: --service-node is there twice');
  expect(refused('-c', bootstrap)).toBe('mizzen proxy: --config-path is there twice');
  expect(run().status).toBe(2);
  expect(run('--config-yaml', '').status).toBe(2);
});

test('places that cannot be written to: no log, no proxy; an address that nobody is told is only remarked on', async () => {
  const nowhere = join(directory, 'no', 'file');
  const log = join(directory, 'address.log');
  const bootstrap = { admin: { address: { socketAddress: { address: '127.0.0.1', portValue: await freePort() } } } };
  expect(run('-c', file('admin.json', JSON.stringify(bootstrap)), '--log-path', nowhere)).toEqual({
    status: 1,
    stdout: '',
    stderr: "the log cannot be opened: ENOENT: no such file or directory, open 'DIR/no/file'\n",
  });
  const proxy = runProxy(bootstrap, ['--admin-address-path', nowhere, '--log-path', log]);
  const logged = (): string => (existsSync(log) ? readFileSync(log, 'utf8') : '');
  await expect.poll(logged).toContain('all listeners are ready');
  expect(logged()).toMatch(/\[critical\]\[admin\] the address is told to nobody: ENOENT/);
  await proxy.stop();
  expect(await proxy.ended).toBe(0);
});

test('a check says what would be refused, by resource and field', () => {
  const good = file('good.yaml', 'static_resources: {clusters: [{name: a, type: STATIC, connect_timeout: 1s}]}');
  const harmless = [
    '--base-id',
    '4294967295',
    '--drain-time-s',
    '4294967295',
    '--concurrency',
    '2',
    '--restart-epoch',
    '0',
    '--disable-hot-restart',
  ];
  expect(run('-c', good, '--mode', 'validate', ...harmless)).toEqual({
    status: 0,
    stdout: `configuration '${good}' OK\n`,
    stderr: '',
  });
  expect(run('-c', good, '--config-yaml', '', '--mode', 'validate').status).toBe(0);
  const over = 'static_resources: {clusters: [{name: b, type: STATIC, lb_policyy: RANDOM}]}\nhds_config: {}';
  const { status, stderr } = run('-c', good, '--config-yaml', over, '--mode', 'validate');
  expect(status).toBe(1);
  expect(stderr).toBe(
    '--config-yaml:1:55: `--config-yaml`: staticResources.clusters[0].lb_policyy: ' +
      '`envoy.config.cluster.v3.Cluster` has no such field\n  help: did you mean `lb_policy`?\n',
  );
  const bad = file('bad.yaml', `${over}\nadmin: {profile_path: x}\ndynamic_resources: {lds_config: {ads: {}}}`);
  expect(run('-c', bad, '--mode', 'validate').stderr.trim().split('\n').toSorted()).toEqual([
    '  help: did you mean `lb_policy`?',
    'DIR/bad.yaml:1:55: `b`: lb_policyy: `envoy.config.cluster.v3.Cluster` has no such field',
    'DIR/bad.yaml:2:1: `DIR/bad.yaml`: hdsConfig: not supported',
    'DIR/bad.yaml:4:21: `DIR/bad.yaml`: dynamicResources.ldsConfig: comes from ADS, and there is no `adsConfig`',
    expect.stringMatching(/^`DIR\/bad.yaml`: node: `id` and `cluster` are required/),
  ]);
});

test('JSON that is deeper than Envoy reads is refused', () => {
  const deep = (levels: number): string => {
    const value = `${'{"a":'.repeat(levels)}1${'}'.repeat(levels)}`;
    const metadata = `{"filter_metadata": {"x": ${value}}}`;
    return file('deep.json', `{"static_resources": {"clusters": [{"name": "c", "metadata": ${metadata}}]}}`);
  };
  expect(run('-c', deep(94), '--mode', 'validate').status).toBe(0);
  for (const levels of [95, 10_000])
    expect(run('-c', deep(levels), '--mode', 'validate')).toEqual({
      status: 1,
      stdout: '',
      stderr: '`DIR/deep.json` cannot be parsed: nesting exceeded maxDepth (100)\n',
    });
});

test('what is wrong with a value is said once', () => {
  const bad = file('twice.yaml', 'admin: {address: {socket_address: {address: 127.0.0.1, port_value: 99999}}}');
  expect(run('-c', bad, '--mode', 'validate').stderr.match(/portValue/g)).toHaveLength(1);
});

test('sinks of statistics are refused by what is wrong with them', () => {
  const sink = (name: string, rest: string): string =>
    `- { name: ${name}, typed_config: { "@type": type.googleapis.com/envoy.config.metrics.v3.${rest} } }`;
  const service = 'MetricsServiceConfig, grpc_service:';
  const bootstrap = file(
    'sinks.yaml',
    ['node: { id: me, cluster: c }', 'stats_sinks:', sink('a', 'StatsdSink')]
      .concat(sink('b', 'StatsdSink, tcp_cluster_name: nope'))
      .concat(sink('c', 'StatsdSink, address: { socket_address: { address: localhost, port_value: 1 } }'))
      .concat(sink('d', 'DogStatsdSink, address: { pipe: { path: /a } }, max_bytes_per_datagram: 0'))
      .concat(sink('e', `${service} { envoy_grpc: { cluster_name: nope } }, transport_api_version: V2`))
      .concat(sink('f', 'HystrixSink'), '- { name: g }', sink('h', `${service} { google_grpc: { target_uri: x } }`))
      .join('\n'),
  );
  const { status, stderr } = run('-c', bootstrap, '--mode', 'validate');
  expect(status).toBe(1);
  const said = stderr
    .trim()
    .split('\n')
    .map((line) => line.replace(/^.*`DIR\/sinks.yaml`: statsSinks/, ''));
  expect(said.toSorted()).toEqual([
    '[0].typedConfig: must have `address` or `tcpClusterName`',
    '[1].typedConfig.tcpClusterName: there is no static cluster `nope`',
    '[2].typedConfig.address.socketAddress.address: `localhost` is not an IP address',
    '[3].typedConfig.address.pipe: statistics go over UDP: `socketAddress` is what says where',
    '[3].typedConfig.maxBytesPerDatagram: must be greater than 0',
    '[4].typedConfig.grpcService.envoyGrpc.clusterName: there is no static cluster `nope`',
    '[4].typedConfig.transportApiVersion: `V2`: services speak version 3',
    '[5].typedConfig: `envoy.config.metrics.v3.HystrixSink` is not supported',
    '[6].typedConfig: must be there',
    '[7].typedConfig.grpcService.envoyGrpc.clusterName: must not be empty',
    '[7].typedConfig.grpcService.googleGrpc: not supported',
  ]);
});

const LISTENER = `static_resources:
  listeners:
  - name: l
    address: { socket_address: { address: 127.0.0.1, port_value: 0 } }
    filter_chains:
    - filters:
      - name: envoy.filters.network.http_connection_manager
        typed_config:
          "@type": type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager
          stat_prefix: ingress_http
          http_filters:
          - name: envoy.filters.http.router
            typed_config: { "@type": type.googleapis.com/envoy.extensions.filters.http.router.v3.Router }
          route_config:
            virtual_hosts:
            - { name: v, domains: ["*"], routes: [ { match: { prefix: "/" }, route: { cluster: a } } ] }
`;
const clusters = (...all: string[]): string =>
  `static_resources:\n  clusters:\n${all.map((one) => `  - ${one}\n`).join('')}`;

test.each([
  ['a tab', 'static_resources:\n\tlisteners: []', '(2:1)'],
  ['a list that does not end', 'static_resources:\n  listeners: [\n  - a', '(3:3)'],
  ['nothing', '', 'the input is empty'],
  ['a word', 'hello', 'is not a bootstrap'],
  ['a list', '- a', 'is not a bootstrap'],
  ['a key twice', 'admin: {}\nadmin: {}', '(2:1)'],
  ['an unknown field', 'static_resources:\n  listener: []', 'broken.yaml:2:3: ', 'did you mean `listeners`?'],
  ['an unknown field below', LISTENER.replace('  address', '  adress'), 'broken.yaml:4:5: `l`: adress', '`address`?'],
  ['a word for a number', LISTENER.replace('port_value: 0', 'port_value: http'), ':4:66: `l`: address.socketAddress'],
  ['a port that is none', LISTENER.replace('port_value: 0', 'port_value: 65536'), ':4:66: `l`: address.socketAddress'],
  ['no address', LISTENER.replace('127.0.0.1', '""'), '`l`: address.socketAddress.address: must not be empty'],
  ['a type that is none', LISTENER.replace('Manager\n', 'Manger\n'), ':8:9: `l`', 'v3.HttpConnectionManager`?'],
  ['a type of version 2', LISTENER.replace('.v3.HttpC', '.v2.HttpC'), ':8:9: `l`', 'version 2 of the API'],
  ['a field of version 2', LISTENER.replace('typed_config:\n', 'config:\n'), ':8:9: `l`', 'takes `typed_config`'],
  ['a cluster that is not there', LISTENER, 'broken.yaml:16:96: `l`: ', 'there is no cluster `a`'],
  ['a regular expression', LISTENER.replace('prefix: "/"', 'safe_regex: { regex: "((" }'), '16:84: `l`: ', 'RE2'],
  ['no name', clusters('type: STATIC'), 'broken.yaml:3:5: `staticResources.clusters[0]`: name: must not be empty'],
  [
    'a word that is no text in YAML',
    clusters('name: off'),
    'yaml:3:11: `staticResources.clusters[0]`: name: ',
    'quotes',
  ],
  ['a name twice', clusters('name: a', 'name: a'), 'broken.yaml:4:11: ', 'clusters[1].name: `a` is there twice'],
  ['milliseconds', clusters('{ name: a, connect_timeout: 250ms }'), ':3:33: `a`: connectTimeout: ', '`1.5s`'],
  [
    'a value that is none',
    clusters('{ name: a, type: STATICC }'),
    ':3:22: `a`: type: `STATICC`',
    'did you mean `STATIC`?',
  ],
  [
    'a name for an address',
    clusters(
      '{ name: a, load_assignment: { cluster_name: a, endpoints: [ { lb_endpoints: [ { endpoint: { address: { socket_address: { address: host, port_value: 1 } } } } ] } ] } }',
    ),
    '`host` is not an IP address',
  ],
  [
    'a server that is not there',
    'node: { id: a, cluster: b }\ndynamic_resources: { ads_config: { api_type: GRPC, grpc_services: [ { envoy_grpc: { cluster_name: x } } ] } }',
    ':2:99: ',
    'no static cluster `x`',
  ],
  [
    'a folder to watch that is not there',
    'node: { id: a, cluster: b }\ndynamic_resources: { lds_config: { path_config_source: { path: /dev/null, watched_directory: { path: /nowhere } } } }',
    ':2:102: ',
    '`/nowhere` cannot be watched',
  ],
  [
    'a field that no call can carry',
    `${clusters('name: x')}\nnode: { id: a, cluster: b }\ndynamic_resources: { ads_config: { api_type: GRPC, transport_api_version: V3, grpc_services: [ { envoy_grpc: { cluster_name: x }, initial_metadata: [ { key: TE, value: x } ] } ] } }`,
    'initialMetadata[0].key: `TE` cannot be set',
  ],
  [
    'REST',
    'node: { id: a, cluster: b }\ndynamic_resources: { lds_config: { api_config_source: { api_type: REST, cluster_names: [x] } } }',
    '`REST`: there are no REST sources',
  ],
])('a bootstrap with %s: the place is named, nothing runs', (_, text, ...said) => {
  const { status, stdout, stderr } = run('-c', file('broken.yaml', text));
  expect([status, stdout]).toEqual([1, '']);
  for (const part of said) expect(stderr).toContain(part);
  expect(stderr).not.toMatch(/^\s+at /m);
});

test("protobuf's own forms are refused by name", () => {
  expect(run('-c', file('a.pb_text', 'admin { }'))).toMatchObject({
    status: 1,
    stderr: expect.stringContaining('YAML'),
  });
});

test('fields that Envoy does not have are passed over when told so', () => {
  const odd = file('odd.yaml', clusters('{ name: a, typ: 3 }'));
  expect(run('-c', odd, '--mode', 'validate').status).toBe(1);
  expect(run('-c', odd, '--mode', 'validate', '--allow-unknown-static-fields')).toMatchObject({
    status: 0,
    stderr: '',
  });
  const over = ['--config-yaml', 'nodde: {}', '--allow-unknown-static-fields'];
  expect(run('-c', odd, ...over, '--mode', 'validate').status).toBe(0);
});

test('what --config-yaml says is laid over the file, and flags over both', async () => {
  const admin = await freePort();
  const log = join(directory, 'proxy.log');
  const running = runProxy(
    {
      node: { id: 'old', cluster: 'old' },
      admin: { address: { socketAddress: { address: '127.0.0.1', portValue: 1 } } },
    },
    [
      '--config-yaml',
      `{"admin": {"address": {"socket_address": {"port_value": ${admin}}}}, "node": {"cluster": "over"}}`,
      '--service-node',
      'flag',
      '--log-path',
      log,
      '--log-format',
      '%l %n %v',
      '--admin-address-path',
      join(directory, 'admin'),
    ],
  );
  await expect.poll(() => text(admin, '/ready').catch(() => '')).toBe('LIVE\n');
  const info = JSON.parse(await text(admin, '/server_info')) as { node: object };
  expect(info.node).toMatchObject({ id: 'flag', cluster: 'over' });
  expect(readFileSync(join(directory, 'admin'), 'utf8')).toBe(`127.0.0.1:${admin}`);
  await running.stop();
  expect(await running.ended).toBe(0);
  expect(readFileSync(log, 'utf8').split('\n')).toContain('info main ending');
});

test(
  "the bootstraps of Istio's agent are taken, and proxy-config reads the dump",
  { timeout: 60_000 },
  async ({ skip }) => {
    const folder = peersFolder();
    if (folder === undefined || !existsSync(join(folder, 'istio/bootstrap')))
      skip("the bootstraps of Istio's agent are not on this machine");
    const all = globSync(join(folder!, 'istio/bootstrap/*_golden.json'));
    expect(all.length).toBeGreaterThan(20);
    // Envoy does not have this tracer any more, and refuses it, too.
    const refused = (golden: string): boolean => /tracing_lightstep_golden/.test(golden);
    // Both kinds of sinks are in the one of everything.
    const sinks = all.filter((golden) => /\/all_golden/.test(golden));
    expect(readFileSync(sinks[0]!, 'utf8')).toMatch(/stat_sinks\.metrics_service[^]*stat_sinks\.statsd/);
    const own = all.filter((golden) => /\/(all|lrs|tracing_datadog)_golden/.test(golden));
    const taken = all.filter((golden, index) => index % 6 === 0 && !refused(golden));
    for (const golden of new Set([...own, ...taken]))
      expect(run('-c', golden, '--mode', 'validate'), golden).toMatchObject({ status: 0, stderr: '' });
    for (const golden of all.filter(refused)) {
      const theirs = spawnSync(envoyBinary(), ['--mode', 'validate', '-c', golden], { encoding: 'utf8' });
      expect(theirs.status).toBe(1);
      expect(theirs.stderr).toContain("Didn't find a registered implementation for 'envoy.tracers.lightstep'");
      expect(run('-c', golden, '--mode', 'validate').stderr, golden).toMatch(
        /tracing\.http\.typedConfig: `envoy\.config\.trace\.v3\.LightstepConfig` is not supported/,
      );
    }
    // Its ports are those of everybody; nobody answers at its sockets, so listeners of its own are all there is.
    const ports = await Promise.all([freePort(), freePort(), freePort(), freePort()]);
    let given = readFileSync(join(folder!, 'istio/bootstrap/default_golden.json'), 'utf8');
    for (const [index, port] of [15000, 15020, 15021, 15090].entries())
      given = given.replaceAll(`"port_value": ${port}`, `"port_value": ${ports[index]}`);
    const running = runProxy(JSON.parse(given.replaceAll('/tmp/XDS', join(directory, 'XDS'))) as object);
    try {
      await expect.poll(() => text(ports[0]!, '/ready').catch(() => '')).toBe('PRE_INITIALIZING\n');
      const dump = file('dump.json', await text(ports[0]!, '/config_dump'));
      const { status, stdout } = spawnSync(process.execPath, [MIZZEN, 'proxy-config', 'cluster', '-f', dump], {
        encoding: 'utf8',
      });
      expect(status).toBe(0);
      expect(stdout).toContain('xds-grpc');
      expect(stdout).toContain('sds-grpc');
      // Istio's own tags: the cluster is what stands before its semicolon.
      expect(await text(ports[0]!, '/stats/prometheus')).toContain(
        'envoy_cluster_upstream_cx_total{cluster_name="xds-grpc"}',
      );
    } finally {
      await running.stop();
    }
  },
);
