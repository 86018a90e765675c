import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { adsBootstrap } from '@mizzen/control-plane/grpc/testing/ads-bootstrap.ts';
import { freePort, startEnvoy } from '@mizzen/testkit';
import { afterEach, expect, test } from 'vitest';
import { type ControlPlaneEvent, startControlPlane } from './start.ts';

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close();
});

interface Scripts {
  readonly discovered: string;
  readonly inline: string;
  readonly more?: string;
}

/** A port of this machine that leads to another, and Lua on the way: by an EnvoyFilter and as a TrafficExtension. */
const mesh = (listen: number, application: number, { discovered, inline, more = '' }: Scripts): string => `
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: { name: backend, namespace: default }
spec:
  hosts: [backend.example]
  location: MESH_EXTERNAL
  resolution: STATIC
  ports: [{ name: http, number: ${listen}, protocol: HTTP }]
  endpoints: [{ address: 127.0.0.1, ports: { http: ${application} } }]
---
apiVersion: networking.istio.io/v1
kind: Sidecar
metadata: { name: default, namespace: default }
spec:
  egress:
    - { port: { number: ${listen}, protocol: HTTP, name: http }, bind: 127.0.0.1, captureMode: NONE, hosts: ['./*'] }
---
apiVersion: extensions.istio.io/v1alpha1
kind: TrafficExtension
metadata: { name: script, namespace: default }
spec:
  lua:
    inlineCode: ${inline}
---
apiVersion: networking.istio.io/v1alpha3
kind: EnvoyFilter
metadata: { name: discovered, namespace: default }
spec:
  configPatches:
    - applyTo: HTTP_FILTER
      match: { context: SIDECAR_OUTBOUND, listener: { portNumber: ${listen}, filterChain: { filter: { name: envoy.filters.network.http_connection_manager } } } }
      patch:
        operation: INSERT_FIRST
        value:
          name: mine
          config_discovery:
            config_source: { ads: {}, resource_api_version: V3 }
            type_urls: [type.googleapis.com/envoy.extensions.filters.http.lua.v3.Lua]
    - applyTo: EXTENSION_CONFIG
      match: { context: SIDECAR_OUTBOUND }
      patch:
        operation: ADD
        value:
          name: mine
          typed_config:
            '@type': type.googleapis.com/envoy.extensions.filters.http.lua.v3.Lua
            default_source_code: { inline_string: ${discovered} }
${more}`;

const answering = (header: string, value: string): string =>
  `'function envoy_on_response(handle) handle:headers():add("${header}", "${value}") end'`;

test.each([
  ['state of the world', false],
  ['incremental', true],
])('extensions and what EnvoyFilters add are in force in a real Envoy (%s)', async (_, incremental) => {
  const directory = mkdtempSync(join(tmpdir(), 'mizzen-extensions-'));
  closing.push(() => rmSync(directory, { recursive: true, force: true, maxRetries: 10 }));
  const file = join(directory, 'mesh/mesh.yaml');
  mkdirSync(join(directory, 'mesh'));
  const backend = createServer((_request, response) => response.end('hello'));
  await new Promise<void>((resolve) => backend.listen(0, '127.0.0.1', resolve));
  closing.push(() => backend.close());
  const [listen, { port }] = [await freePort(), backend.address() as AddressInfo];
  const write = (scripts: Scripts): void => writeFileSync(file, mesh(listen, port, scripts));
  write({ discovered: answering('x-mine', 'one'), inline: answering('x-script', 'one') });

  const events: ControlPlaneEvent[] = [];
  const said = (): string =>
    events.map((event) => (event.kind === 'change' ? event.rendered.join('\n') : event.text)).join('\n');
  const options = {
    files: [join(directory, 'mesh')],
    meshConfig: undefined,
    stateDir: join(directory, 'state'),
    grpcPort: 0,
    tlsPort: 0,
    tlsHost: '127.0.0.1',
    httpPort: 0,
    socket: undefined,
    tokenKeys: [],
    color: false,
  };
  const running = await startControlPlane(options, (event) => events.push(event));
  closing.push(() => running.close());
  const node = {
    id: 'sidecar~127.0.0.1~client-0.default~default.svc.cluster.local',
    metadata: { NAMESPACE: 'default', LABELS: { app: 'client' }, INTERCEPTION_MODE: 'NONE' },
  };
  const at = { host: '127.0.0.1', port: running.ports.grpc };
  const envoy = await startEnvoy(adsBootstrap({ node, at, incremental }));
  closing.push(() => envoy.stop());
  const headers = async (): Promise<unknown> => {
    const { 'x-mine': mine, 'x-script': script } = await headersOf(listen);
    return [mine, script];
  };
  const metrics = async (): Promise<string[]> =>
    (await (await fetch(`http://127.0.0.1:${running.ports.http}/metrics`)).text()).split('\n');
  const refusing = `pilot_xds_ecds_reject{node="${node.id}",err="Internal"} 1`;
  await expect.poll(headers).toEqual(['one', 'one']);
  expect(await metrics()).toEqual(
    expect.arrayContaining([
      'pilot_xds{version="unknown"} 1',
      'pilot_services 1',
      'pilot_k8s_cfg_events{type="ServiceEntry",event="add"} 1',
      expect.stringMatching(/^pilot_xds_pushes\{type="lds"\} [1-9]/),
      expect.stringMatching(/^pilot_xds_config_size_bytes_sum\{type="cds"\} [1-9]/),
    ]),
  );
  expect(said()).not.toMatch(/refuses|MZ1205/);

  write({ discovered: answering('x-mine', 'two'), inline: answering('x-script', 'two') });
  await expect.poll(headers).toEqual(['two', 'two']);

  // What no schema tells, but Envoy.
  write({ discovered: `'function ('`, inline: answering('x-script', 'two') });
  await expect.poll(said).toMatch(/refuses extension `mine`: .*script load error.* \(from .*mesh\.yaml:44\)/);
  expect(await metrics()).toEqual(
    expect.arrayContaining([
      refusing,
      expect.stringMatching(/^pilot_total_xds_rejects\{type="ecds"\} [1-9]/),
      expect.stringMatching(/^pilot_proxy_convergence_time_count [1-9]/),
    ]),
  );
  expect(await headers()).toEqual(['two', 'two']);

  // What the schema tells.
  const more = `    - { applyTo: CLUSTER, patch: { operation: MERGE, value: { connect_timeout: soon } } }`;
  write({ discovered: answering('x-mine', 'four'), inline: answering('x-script', 'four'), more });
  await expect.poll(headers).toEqual(['four', 'four']);
  await expect.poll(metrics).not.toContain(refusing);
  expect(said()).toMatch(/error\[MZ1018\] .*mesh\.yaml:49:.*`soon` is not a duration/);
});

function headersOf(port: number): Promise<NodeJS.Dict<string | string[]>> {
  return new Promise((resolve) => {
    const outgoing = request(
      { host: '127.0.0.1', port, agent: false, headers: { host: 'backend.example' } },
      (response) => response.resume().once('end', () => resolve(response.headers)),
    );
    outgoing.on('error', () => resolve({}));
    outgoing.end();
  });
}
