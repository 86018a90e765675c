import { dirname, resolve } from 'node:path';
import type { ConfigStatusAnswer } from '@mizzen/runtime/api/types.ts';
import { ApiError } from '@mizzen/runtime/supervisor/api-client.ts';
import { type Command, common, type Invocation, list, text, UsageError } from '../command.ts';
import { type Issuer, findIssuers, readIssuer } from '../issuer/find.ts';
import { signToken } from '../issuer/sign.ts';
import { client, meshFlags } from '../running.ts';

export const command: Command = {
  name: 'token',
  usage: '[--claim NAME=VALUE]... [--subject NAME] [--ttl 1h]',
  summary: 'Signs a token (JWT) as the issuer of an example would.',
  description:
    'The key is in `issuer/key.json`, in the directory of the running mesh or one that is named. ' +
    'Such a key is for examples: everybody has it. A claim is a text; NAME:=JSON gives a list or another value.',
  flags: {
    claim: { type: 'string', multiple: true, value: 'NAME=VALUE', help: 'a claim of the token; may repeat' },
    subject: { type: 'string', value: 'NAME', help: 'who the token is for (`sub`, default `user`)' },
    issuer: { type: 'string', value: 'URL', help: 'which issuer, where there are several; also sets `iss`' },
    audience: { type: 'string', multiple: true, value: 'NAME', help: "who may take it (`aud`, default the issuer's)" },
    ttl: { type: 'string', value: 'DURATION', help: 'how long it is good for (default 1h); negative: expired' },
    'issuer-dir': { type: 'string', value: 'DIR', help: 'directory that holds the issuer’s key.json' },
    config: { ...common.config, help: 'where to look for issuer/key.json; may repeat' },
    'state-dir': meshFlags['state-dir'],
    name: meshFlags.name,
  },
  examples: ['mizzen token --claim role=staff', 'mizzen token --claim \'roles:=["staff"]\' --ttl 5m'],
  async run(invocation) {
    const { positionals, values, out, err } = invocation;
    if (positionals.length > 0) throw new UsageError(`\`${positionals[0]}\` is not understood`);
    const wanted = text(values, 'issuer');
    const claims = Object.fromEntries(list(values, 'claim').map(parseClaim));
    const seconds = parseTtl(text(values, 'ttl') ?? '1h');
    const directory = text(values, 'issuer-dir');
    const issuers = directory === undefined ? findIssuers(await directories(invocation)) : [readIssuer(directory)];
    const issuer = choose(issuers, wanted);
    if (typeof issuer === 'string') {
      err.write(`mizzen: ${issuer}\n`);
      return 1;
    }
    const audience = list(values, 'audience');
    const now = Math.floor(Date.now() / 1000);
    const payload = {
      iss: wanted ?? issuer.issuer,
      sub: text(values, 'subject') ?? 'user',
      ...audienceClaim(audience, issuer.audience),
      iat: Math.min(now, now + seconds),
      exp: now + seconds,
      ...claims,
    };
    out.write(`${signToken(payload, issuer.key)}\n`);
    return 0;
  },
};

/** What was named, or else what the running mesh reads, or else where the person stands. */
async function directories({ values }: Invocation): Promise<readonly string[]> {
  const named = list(values, 'config');
  if (named.length > 0) return named;
  try {
    const { paths, directory } = await client(values).get<ConfigStatusAnswer>('/api/config/status');
    return paths.filter((path) => path !== '-').map((path) => resolve(directory, path));
  } catch (error) {
    if (error instanceof ApiError) return ['.'];
    throw error;
  }
}

function choose(issuers: readonly Issuer[], wanted: string | undefined): Issuer | string {
  if (issuers.length === 0) return 'there is no issuer/key.json here; name its directory with --issuer-dir';
  const fitting = issuers.filter(({ issuer }) => wanted === undefined || issuer === wanted);
  if (fitting.length === 1 && fitting[0] !== undefined) return fitting[0];
  if (issuers.length === 1 && issuers[0] !== undefined) return issuers[0];
  if (new Set(fitting.map(({ issuer }) => issuer)).size === 1) {
    const keys = fitting.map(({ file }) => `\`${dirname(file)}\``).join(', ');
    return `there are several keys of issuer \`${fitting[0]?.issuer}\` (in ${keys}); choose one with --issuer-dir`;
  }
  const known = [...new Set(issuers.map(({ issuer }) => `\`${issuer}\``))].join(', ');
  return `there are several issuers (${known}); choose one with --issuer`;
}

function parseClaim(claim: string): [string, unknown] {
  const match = /^([^=:]+(?::(?!=)[^=:]+)*)(:?=)(.*)$/s.exec(claim);
  if (match === null) throw new UsageError(`\`${claim}\` is not NAME=VALUE`);
  const [, name = '', operator, value = ''] = match;
  if (operator === '=') return [name, value];
  try {
    return [name, JSON.parse(value)];
  } catch {
    throw new UsageError(`the value of \`${claim}\` is not JSON`);
  }
}

const UNITS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400 };

function parseTtl(ttl: string): number {
  const match = /^(-?)((?:\d+[smhd])+)$/.exec(ttl);
  if (match === null) throw new UsageError(`--ttl: \`${ttl}\` is not a duration like \`90s\`, \`10m\` or \`1h\``);
  const parts = [...(match[2] ?? '').matchAll(/(\d+)([smhd])/g)];
  const seconds = parts.reduce((sum, [, digits, unit]) => sum + Number(digits) * (UNITS[unit ?? ''] ?? 0), 0);
  return match[1] === '-' ? -seconds : seconds;
}

function audienceClaim(asked: readonly string[], usual: string | undefined): { aud?: string | readonly string[] } {
  if (asked.length === 1) return { aud: asked[0] };
  if (asked.length > 1) return { aud: asked };
  return usual === undefined ? {} : { aud: usual };
}
