/** The rate limit service with real Envoy as its client, in memory and with real Redis. */
import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { get } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort, repositoryRoot, requireTool, startEnvoy, type RunningEnvoy } from '@mizzen/testkit';
import { afterEach, expect, test } from 'vitest';

const program = join(repositoryRoot, 'packages/cli/bin/mizzen.mjs');
const TYPE = 'type.googleapis.com/envoy.extensions';
const LIMITS = `
domain: shop
descriptors:
  - key: user
    rate_limit: { unit: day, requests_per_unit: 2 }
`;

const cleanups: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
});

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 'mizzen-ratelimit-'));
  cleanups.push(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

/** Starts a program and waits until its output fits. */
async function start(
  command: string,
  args: readonly string[],
  until: RegExp,
): Promise<{ child: ChildProcess; output: () => string; match: RegExpExecArray }> {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  const ended = new Promise<void>((done) => child.once('exit', () => done()));
  cleanups.push(async () => {
    child.kill('SIGTERM');
    await ended;
  });
  const match = await new Promise<RegExpExecArray>((resolve, reject) => {
    const take = (data: Buffer): void => {
      output += data.toString();
      const found = until.exec(output);
      if (found !== null) resolve(found);
    };
    child.stdout.on('data', take);
    child.stderr.on('data', take);
    void ended.then(() => reject(new Error(`${command} ended:\n${output}`)));
  });
  return { child, output: () => output, match };
}

async function service(
  file: string,
  ...args: string[]
): Promise<{ port: number; child: ChildProcess; output: () => string }> {
  const started = await start(
    process.execPath,
    [program, 'ratelimit', '--config', file, '--port', '0', ...args],
    /on port (\d+)\n/,
  );
  return { ...started, port: Number(started.match[1]) };
}

async function envoy(limits: number): Promise<{ ask: (user: string) => Promise<string> }> {
  const port = await freePort();
  const running: RunningEnvoy = await startEnvoy({
    staticResources: {
      listeners: [
        {
          address: { socketAddress: { address: '127.0.0.1', portValue: port } },
          filterChains: [
            {
              filters: [
                {
                  name: 'hcm',
                  typedConfig: {
                    '@type': `${TYPE}.filters.network.http_connection_manager.v3.HttpConnectionManager`,
                    statPrefix: 'test',
                    routeConfig: {
                      virtualHosts: [
                        {
                          name: 'all',
                          domains: ['*'],
                          routes: [
                            {
                              match: { prefix: '/' },
                              route: {
                                cluster: 'limits',
                                rateLimits: [
                                  { actions: [{ requestHeaders: { headerName: 'x-user', descriptorKey: 'user' } }] },
                                ],
                              },
                            },
                          ],
                        },
                      ],
                    },
                    httpFilters: [
                      {
                        name: 'envoy.filters.http.ratelimit',
                        typedConfig: {
                          '@type': `${TYPE}.filters.http.ratelimit.v3.RateLimit`,
                          domain: 'shop',
                          timeout: '5s',
                          failureModeDeny: true,
                          enableXRatelimitHeaders: 'DRAFT_VERSION_03',
                          rateLimitService: {
                            transportApiVersion: 'V3',
                            grpcService: { envoyGrpc: { clusterName: 'limits' } },
                          },
                        },
                      },
                      // Whoever is let through meets a filter that answers.
                      {
                        name: 'envoy.filters.http.fault',
                        typedConfig: {
                          '@type': `${TYPE}.filters.http.fault.v3.HTTPFault`,
                          abort: { httpStatus: 200, percentage: { numerator: 100 } },
                        },
                      },
                      { name: 'router', typedConfig: { '@type': `${TYPE}.filters.http.router.v3.Router` } },
                    ],
                  },
                },
              ],
            },
          ],
        },
      ],
      clusters: [
        {
          name: 'limits',
          type: 'STATIC',
          typedExtensionProtocolOptions: {
            'envoy.extensions.upstreams.http.v3.HttpProtocolOptions': {
              '@type': `${TYPE}.upstreams.http.v3.HttpProtocolOptions`,
              explicitHttpConfig: { http2ProtocolOptions: {} },
            },
          },
          loadAssignment: {
            clusterName: 'limits',
            endpoints: [
              {
                lbEndpoints: [
                  { endpoint: { address: { socketAddress: { address: '127.0.0.1', portValue: limits } } } },
                ],
              },
            ],
          },
        },
      ],
    },
  });
  cleanups.push(() => running.stop());
  return {
    ask: (user) =>
      new Promise((resolve, reject) => {
        get({ host: '127.0.0.1', port, agent: false, headers: { 'x-user': user } }, (response) => {
          response.resume();
          const { headers } = response;
          response.on('end', () =>
            resolve(
              `${response.statusCode} ${String(headers['x-ratelimit-limit'])} ${String(headers['x-ratelimit-remaining'])}`,
            ),
          );
        }).on('error', reject);
      }),
  };
}

test('in memory, until the limits are read again', { timeout: 60_000 }, async () => {
  const file = join(folder(), 'limits.yaml');
  writeFileSync(file, LIMITS);
  const { port, child, output } = await service(file);
  const { ask } = await envoy(port);
  expect([await ask('a'), await ask('a'), await ask('a'), await ask('b')]).toEqual([
    '200 2, 2;w=86400 1',
    '200 2, 2;w=86400 0',
    '429 2, 2;w=86400 0',
    '200 2, 2;w=86400 1',
  ]);
  const said = async (text: string): Promise<void> => {
    while (!output().includes(text)) await new Promise((done) => setTimeout(done, 20));
  };
  writeFileSync(file, 'domain: shop\ndescriptors: [{ key: user, rate_limit: { unit: century } }]');
  child.kill('SIGHUP');
  await said('limits.yaml: descriptors[0].rate_limit.unit: must be one of');
  expect(await ask('a')).toBe('429 2, 2;w=86400 0');
  writeFileSync(file, LIMITS.replace('requests_per_unit: 2', 'requests_per_unit: 10'));
  child.kill('SIGHUP');
  await said('limits read again');
  expect(await ask('a')).toBe('200 10, 10;w=86400 5');
});

test('two services that count together in Redis', { timeout: 60_000 }, async () => {
  const redisPort = await freePort();
  const settings = ['--port', String(redisPort), '--bind', '127.0.0.1', '--save', '', '--dir', folder()];
  await start(requireTool('redis-server'), settings, /Ready to accept connections/);
  const file = join(folder(), 'limits.yaml');
  writeFileSync(file, LIMITS);
  const redis = ['--redis', `redis://127.0.0.1:${redisPort}`];
  const one = await envoy((await service(file, ...redis)).port);
  const two = await envoy((await service(file, ...redis)).port);
  expect([await one.ask('a'), await two.ask('a'), await one.ask('a'), await two.ask('a'), await two.ask('b')]).toEqual([
    '200 2, 2;w=86400 1',
    '200 2, 2;w=86400 0',
    '429 2, 2;w=86400 0',
    '429 2, 2;w=86400 0',
    '200 2, 2;w=86400 1',
  ]);
});

test('Redis that is not there is an error, which Envoy is told', { timeout: 60_000 }, async () => {
  const file = join(folder(), 'limits.yaml');
  writeFileSync(file, LIMITS);
  const { port, output } = await service(file, '--redis', `redis://127.0.0.1:${await freePort()}`);
  const { ask } = await envoy(port);
  expect(await ask('a')).toMatch(/^500 /);
  await expect.poll(output).toContain('redis: ');
});

test('a port that is taken ends it, with who has it and the flag', { timeout: 60_000 }, async () => {
  const file = join(folder(), 'limits.yaml');
  writeFileSync(file, LIMITS);
  const { port } = await service(file);
  for (const flag of ['--port', '--admin-port'])
    await expect(service(file, flag, String(port))).rejects.toThrow(
      new RegExp(`port ${port} is taken by pid \\d+ .*; choose another with ${flag}\n`),
    );
});

test('IPv6, and what is no URL of Redis', { timeout: 60_000 }, async () => {
  const file = join(folder(), 'limits.yaml');
  writeFileSync(file, LIMITS);
  expect((await service(file, '--host', '::1', '--admin-port', '0')).port).toBeGreaterThan(0);
  await expect(service(file, '--redis', 'foo bar')).rejects.toThrow('--redis: `foo bar` is not a URL of Redis');
  await expect(service(`${file}.old`)).rejects.toThrow('limits.yaml.old` cannot be read: ENOENT');
});

test('limits that are wrong', async () => {
  const file = join(folder(), 'limits.yaml');
  writeFileSync(file, 'domain: shop\ndescriptors: [{ vlaue: 1 }]');
  await expect(service(file)).rejects.toThrow('limits.yaml: descriptors[0].vlaue: is not supported');
});
