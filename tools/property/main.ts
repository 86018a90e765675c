/**
 * `npm run property -- routes|rbac|http|policies [--pairs N] [--seed N]`: random configurations × random requests, on which the
 * pure evaluation, the proxy and the real Envoy must decide alike; for `http` the bytes of the traffic itself are random,
 * for `policies` what routes do with requests, and the two proxies must make the same of them. 10,000 pairs unless told. Prints what differs; exit status 1 when
 * something does.
 */
import { parseArgs } from 'node:util';
import { comparePairs, type Property } from '../../packages/proxy/src/program/testing/property.ts';
import { compareTraffic } from './http.ts';
import { comparePolicies } from './policies.ts';

const TABLES = 40;
const PER_TABLE = 25;
const PER_CASE = 150;
const SHOWN = 5;

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { pairs: { type: 'string' }, seed: { type: 'string' } },
});

function usage(problem: string): never {
  process.stderr.write(`${problem}\nusage: npm run property -- routes|rbac|http|policies [--pairs N] [--seed N]\n`);
  process.exit(2);
}

function whole(text: string | undefined, otherwise: number, name: string): number {
  if (text === undefined) return otherwise;
  if (!/^\d{1,9}$/.test(text)) usage(`--${name} is a whole number, not \`${text}\``);
  return Number(text);
}

const [name, ...more] = positionals;
if ((name !== 'routes' && name !== 'rbac' && name !== 'http' && name !== 'policies') || more.length > 0)
  usage('say which: routes, rbac, http, or policies');
const property: Property | 'http' | 'policies' = name;
const pairs = whole(values.pairs, 10_000, 'pairs');
const seed = whole(values.seed, Date.now() % 1_000_000, 'seed');

process.stdout.write(`${property}: seed ${seed}, ${pairs} pairs\n`);
let done = 0;
let differ = 0;
for (let batch = 0; done < pairs; batch++) {
  const { apart, compared } = await compare(batch);
  done += compared;
  for (const pair of apart.slice(0, Math.max(0, SHOWN - differ)))
    process.stdout.write(`${JSON.stringify(pair, undefined, 2)}\n`);
  differ += apart.length;
  process.stdout.write(`${done} pairs, ${differ} on which not all agree\n`);
}
process.exitCode = differ > 0 ? 1 : 0;

async function compare(batch: number): Promise<{ apart: readonly unknown[]; compared: number }> {
  if (property === 'http' || property === 'policies') {
    const requests = Math.min(PER_CASE, pairs - done);
    const run = property === 'http' ? compareTraffic : comparePolicies;
    return { apart: await run(seed + batch, requests), compared: requests };
  }
  const tables = Math.min(TABLES, Math.ceil((pairs - done) / PER_TABLE));
  return { apart: await comparePairs(property, seed + batch * 2, tables, PER_TABLE), compared: tables * PER_TABLE };
}
