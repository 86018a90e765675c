import { spawn } from 'node:child_process';
import { connect as connectTls } from 'node:tls';
import { createServer, type AddressInfo } from 'node:net';
import { describe, expect, test } from 'vitest';
import { readClientHello } from './client-hello.ts';

/** What a real client sends first. */
async function firstBytes(dial: (port: number) => () => void): Promise<Buffer> {
  let give: (bytes: Buffer) => void;
  const bytes = new Promise<Buffer>((done) => (give = done));
  const server = createServer((socket) => {
    const chunks: Buffer[] = [];
    socket.on('error', () => undefined);
    socket.on('data', (chunk: Buffer) => {
      chunks.push(chunk);
      setTimeout(() => {
        give(Buffer.concat(chunks));
        socket.destroy();
      }, 50);
    });
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const stop = dial((server.address() as AddressInfo).port);
  const result = await bytes;
  stop();
  server.close();
  return result;
}

const node = (options: object) => (port: number) => {
  const socket = connectTls({ port, host: '127.0.0.1', rejectUnauthorized: false, ...options });
  socket.on('error', () => undefined);
  return () => socket.destroy();
};
const openssl =
  (...args: string[]) =>
  (port: number) => {
    const child = spawn('openssl', ['s_client', '-connect', `127.0.0.1:${port}`, ...args], { stdio: 'ignore' });
    return () => void child.kill();
  };

describe('readClientHello', () => {
  test.each([
    ['openssl, TLS 1.3', openssl('-servername', 'A.Example', '-alpn', 'istio,h2'), 'a.example', ['istio', 'h2']],
    ['openssl, TLS 1.2, no ALPN', openssl('-tls1_2', '-servername', 'b'), 'b', []],
    ['openssl, no server name', openssl('-noservername'), '', []],
    [
      'node',
      node({ servername: 'outbound_.80_._.x.ns.svc.cluster.local', ALPNProtocols: ['istio'] }),
      'outbound_.80_._.x.ns.svc.cluster.local',
      ['istio'],
    ],
  ])('%s', async (_name, dial, serverName, applicationProtocols) => {
    const bytes = await firstBytes(dial);
    expect(readClientHello(bytes)).toMatchObject({ kind: 'hello', hello: { serverName, applicationProtocols } });
    for (let length = 0; length < bytes.length; length += 7) {
      expect(readClientHello(bytes.subarray(0, length))).toEqual({ kind: 'more' });
    }
    // The same message in records of 50 bytes.
    const payload = bytes.subarray(5);
    const records: Buffer[] = [];
    for (let at = 0; at < payload.length; at += 50) {
      const part = payload.subarray(at, at + 50);
      records.push(Buffer.from([22, 3, 1, part.length >> 8, part.length & 255]), part);
    }
    const wire = Buffer.concat(records);
    const whole = readClientHello(bytes);
    const { hello } = whole as Extract<typeof whole, { kind: 'hello' }>;
    expect(hello.size).toBe(bytes.length);
    expect(readClientHello(wire)).toEqual({ kind: 'hello', hello: { ...hello, size: wire.length } });
  });

  test('what is not a ClientHello is not TLS, and nothing makes it throw', async () => {
    for (const text of [
      'GET / HTTP/1.1\r\n',
      'PRI * HTTP/2.0\r\n',
      '\x16\x02\x00\x00\x10',
      '\x16\x03\x01\x00\x05\x02\x00\x00\x01\x00',
      '\x15\x03\x01\x00\x02',
    ]) {
      expect(readClientHello(Buffer.from(text, 'latin1')).kind).toBe('not-tls');
    }
    const bytes = await firstBytes(openssl('-servername', 'x.example', '-alpn', 'h2'));
    for (let at = 0; at < bytes.length; at++) {
      for (const value of [0, 0x7f, 0xff]) {
        const broken = Buffer.from(bytes);
        broken[at] = value;
        expect(['hello', 'more', 'not-tls']).toContain(readClientHello(broken).kind);
      }
    }
  });
});
