import { generateKeyPairSync } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import { importJWK, jwtVerify } from 'jose';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { command } from '../commands/token.ts';
import { parse } from '../parse.ts';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'mizzen-token-'));
});
afterEach(() => rmSync(directory, { recursive: true }));

type Jwk = Awaited<Parameters<typeof importJWK>[0]>;
/** Writes `issuer/key.json` below a folder and returns the public key. */
function issuer(folder: string, name: string, kind: 'ec' | 'rsa' | 'ed25519' = 'ec'): Jwk {
  const pair =
    kind === 'ec'
      ? generateKeyPairSync('ec', { namedCurve: 'P-256' })
      : kind === 'rsa'
        ? generateKeyPairSync('rsa', { modulusLength: 2048 })
        : generateKeyPairSync('ed25519');
  mkdirSync(join(directory, folder, 'issuer'), { recursive: true });
  const key = { ...pair.privateKey.export({ format: 'jwk' }), kid: 'k1' };
  writeFileSync(join(directory, folder, 'issuer/key.json'), JSON.stringify({ issuer: name, audience: 'shop', key }));
  return pair.publicKey.export({ format: 'jwk' }) as Jwk;
}

async function token(...args: string[]): Promise<string> {
  const [out, err] = [new PassThrough(), new PassThrough()];
  const { positionals, values } = parse(command, args);
  const status = await command.run({ positionals, values, out, err, color: false });
  out.end();
  err.end();
  expect([status, await text(err)]).toEqual([0, '']);
  return (await text(out)).trim();
}

test('a token verifies with the issuer’s public key, whatever kind it is', async () => {
  for (const [kind, algorithm] of [
    ['ec', 'ES256'],
    ['rsa', 'RS256'],
    ['ed25519', 'EdDSA'],
  ] as const) {
    const key = issuer(kind, 'https://issuer.example', kind);
    const signed = await token('--config', join(directory, kind), '--claim', 'role=staff', '--ttl', '5m');
    const { payload, protectedHeader } = await jwtVerify(signed, await importJWK(key, algorithm));
    expect(protectedHeader).toEqual({ alg: algorithm, typ: 'JWT', kid: 'k1' });
    expect(payload).toMatchObject({ iss: 'https://issuer.example', aud: 'shop', sub: 'user', role: 'staff' });
    expect((payload.exp ?? 0) - (payload.iat ?? 0)).toBe(300);
  }
});

test('claims are texts, or JSON where the person says so', async () => {
  const key = issuer('.', 'https://issuer.example');
  const args = [
    '--claim',
    'a=1',
    '--claim',
    'b:=[1,"x"]',
    '--claim',
    'https://x/y=z=1',
    '--subject',
    'ann',
    '--audience',
    'p',
    '--audience',
    'q',
  ];
  const { payload } = await jwtVerify(await token('--config', directory, ...args), await importJWK(key, 'ES256'));
  expect(payload).toMatchObject({ a: '1', b: [1, 'x'], 'https://x/y': 'z=1', sub: 'ann', aud: ['p', 'q'] });
});

test('a negative life gives an expired token', async () => {
  const key = issuer('.', 'https://issuer.example');
  const signed = await token('--config', directory, '--ttl=-1h');
  await expect(jwtVerify(signed, await importJWK(key, 'ES256'))).rejects.toThrow(/"exp" claim timestamp check failed/);
});

test('of several issuers one is chosen by name', async () => {
  issuer('a', 'https://a.example');
  const b = issuer('b/deep', 'https://b.example');
  const signed = await token('--config', directory, '--issuer', 'https://b.example');
  expect((await jwtVerify(signed, await importJWK(b, 'ES256'))).payload.iss).toBe('https://b.example');
  const { positionals, values } = parse(command, ['--config', directory]);
  const err = new PassThrough();
  expect(await command.run({ positionals, values, out: new PassThrough(), err, color: false })).toBe(1);
  err.end();
  expect(await text(err)).toContain('choose one with --issuer');
});

test('of several keys of one issuer their directories are named', async () => {
  issuer('a', 'https://a.example');
  issuer('b', 'https://a.example');
  const { positionals, values } = parse(command, ['--config', directory]);
  const err = new PassThrough();
  expect(await command.run({ positionals, values, out: new PassThrough(), err, color: false })).toBe(1);
  err.end();
  const [a, b] = ['a', 'b'].map((each) => join(directory, each, 'issuer'));
  expect(await text(err)).toContain(
    `several keys of issuer \`https://a.example\` (in \`${a}\`, \`${b}\`); choose one with --issuer-dir`,
  );
});

test('mistakes are named', async () => {
  issuer('.', 'https://issuer.example');
  await expect(token('--config', directory, '--claim', 'role')).rejects.toThrow('`role` is not NAME=VALUE');
  await expect(token('--config', directory, '--claim', 'a:={')).rejects.toThrow('is not JSON');
  await expect(token('--config', directory, '--ttl', 'soon')).rejects.toThrow('is not a duration');
  await expect(token('--issuer-dir', join(directory, 'nowhere'))).rejects.toThrow('cannot use');
  await expect(token('--config', join(directory, 'nowhere'))).rejects.toThrow('there is no file or directory');
});
