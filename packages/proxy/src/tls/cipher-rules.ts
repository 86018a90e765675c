import type { CipherGroups } from './ciphers.ts';

type KeyExchange = 'kRSA' | 'kECDHE' | 'kPSK';
type Authentication = 'aRSA' | 'aECDSA' | 'aPSK';
type Encryption = '3DES' | 'AES128' | 'AES256' | 'AES128GCM' | 'AES256GCM' | 'CHACHA20';
type Digest = 'SHA1' | 'SHA256' | 'AEAD';

interface Suite {
  readonly name: string;
  /** As IANA has it. */
  readonly standard: string;
  readonly key: KeyExchange;
  readonly auth: Authentication;
  readonly encryption: Encryption;
  readonly digest: Digest;
  /** Rules choose them by name alone. */
  readonly deprecated: boolean;
}

const suite = (
  name: string,
  standard: string,
  key: KeyExchange,
  auth: Authentication,
  encryption: Encryption,
  digest: Digest,
  deprecated = false,
): Suite => ({ name, standard, key, auth, encryption, digest, deprecated });

/** What BoringSSL has before TLS 1.3, in the order in which rules add them. */
const SUITES: readonly Suite[] = [
  suite(
    'ECDHE-ECDSA-AES128-GCM-SHA256',
    'TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256',
    'kECDHE',
    'aECDSA',
    'AES128GCM',
    'AEAD',
  ),
  suite('ECDHE-RSA-AES128-GCM-SHA256', 'TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256', 'kECDHE', 'aRSA', 'AES128GCM', 'AEAD'),
  suite(
    'ECDHE-ECDSA-AES256-GCM-SHA384',
    'TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384',
    'kECDHE',
    'aECDSA',
    'AES256GCM',
    'AEAD',
  ),
  suite('ECDHE-RSA-AES256-GCM-SHA384', 'TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384', 'kECDHE', 'aRSA', 'AES256GCM', 'AEAD'),
  suite(
    'ECDHE-ECDSA-CHACHA20-POLY1305',
    'TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256',
    'kECDHE',
    'aECDSA',
    'CHACHA20',
    'AEAD',
  ),
  suite(
    'ECDHE-RSA-CHACHA20-POLY1305',
    'TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256',
    'kECDHE',
    'aRSA',
    'CHACHA20',
    'AEAD',
  ),
  suite(
    'ECDHE-PSK-CHACHA20-POLY1305',
    'TLS_ECDHE_PSK_WITH_CHACHA20_POLY1305_SHA256',
    'kECDHE',
    'aPSK',
    'CHACHA20',
    'AEAD',
  ),
  suite('ECDHE-ECDSA-AES128-SHA', 'TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA', 'kECDHE', 'aECDSA', 'AES128', 'SHA1'),
  suite('ECDHE-RSA-AES128-SHA', 'TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA', 'kECDHE', 'aRSA', 'AES128', 'SHA1'),
  suite('ECDHE-PSK-AES128-CBC-SHA', 'TLS_ECDHE_PSK_WITH_AES_128_CBC_SHA', 'kECDHE', 'aPSK', 'AES128', 'SHA1'),
  suite('ECDHE-ECDSA-AES256-SHA', 'TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA', 'kECDHE', 'aECDSA', 'AES256', 'SHA1'),
  suite('ECDHE-RSA-AES256-SHA', 'TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA', 'kECDHE', 'aRSA', 'AES256', 'SHA1'),
  suite('ECDHE-PSK-AES256-CBC-SHA', 'TLS_ECDHE_PSK_WITH_AES_256_CBC_SHA', 'kECDHE', 'aPSK', 'AES256', 'SHA1'),
  suite(
    'ECDHE-ECDSA-AES128-SHA256',
    'TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256',
    'kECDHE',
    'aECDSA',
    'AES128',
    'SHA256',
    true,
  ),
  suite('ECDHE-RSA-AES128-SHA256', 'TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256', 'kECDHE', 'aRSA', 'AES128', 'SHA256', true),
  suite('AES128-GCM-SHA256', 'TLS_RSA_WITH_AES_128_GCM_SHA256', 'kRSA', 'aRSA', 'AES128GCM', 'AEAD'),
  suite('AES256-GCM-SHA384', 'TLS_RSA_WITH_AES_256_GCM_SHA384', 'kRSA', 'aRSA', 'AES256GCM', 'AEAD'),
  suite('AES128-SHA', 'TLS_RSA_WITH_AES_128_CBC_SHA', 'kRSA', 'aRSA', 'AES128', 'SHA1'),
  suite('PSK-AES128-CBC-SHA', 'TLS_PSK_WITH_AES_128_CBC_SHA', 'kPSK', 'aPSK', 'AES128', 'SHA1'),
  suite('AES256-SHA', 'TLS_RSA_WITH_AES_256_CBC_SHA', 'kRSA', 'aRSA', 'AES256', 'SHA1'),
  suite('PSK-AES256-CBC-SHA', 'TLS_PSK_WITH_AES_256_CBC_SHA', 'kPSK', 'aPSK', 'AES256', 'SHA1'),
  suite('DES-CBC3-SHA', 'TLS_RSA_WITH_3DES_EDE_CBC_SHA', 'kRSA', 'aRSA', '3DES', 'SHA1', true),
];

/** Nobody chooses among them, and to name one does nothing. */
const OF_TLS_13: ReadonlySet<string> = new Set([
  'TLS_AES_128_GCM_SHA256',
  'TLS_AES_256_GCM_SHA384',
  'TLS_CHACHA20_POLY1305_SHA256',
]);

type Test = (suite: Suite) => boolean;
const current =
  (test: Test): Test =>
  (each) =>
    !each.deprecated && test(each);
const any = current(() => true);
const encrypts = (...kinds: readonly Encryption[]): Test => current(({ encryption }) => kinds.includes(encryption));
const older: Test = current(({ digest }) => digest === 'SHA1');
const ecdhe = current(({ key }) => key === 'kECDHE');

const ALIASES: Readonly<Record<string, Test>> = {
  ALL: any,
  HIGH: any,
  FIPS: any,
  kRSA: current(({ key }) => key === 'kRSA'),
  RSA: current(({ key, auth }) => key === 'kRSA' && auth === 'aRSA'),
  kECDHE: ecdhe,
  kEECDH: ecdhe,
  ECDHE: ecdhe,
  EECDH: ecdhe,
  kPSK: current(({ key }) => key === 'kPSK'),
  PSK: current(({ key, auth }) => key === 'kPSK' && auth === 'aPSK'),
  aRSA: current(({ auth }) => auth === 'aRSA'),
  aECDSA: current(({ auth }) => auth === 'aECDSA'),
  ECDSA: current(({ auth }) => auth === 'aECDSA'),
  aPSK: current(({ auth }) => auth === 'aPSK'),
  '3DES': ({ encryption }) => encryption === '3DES',
  AES128: encrypts('AES128', 'AES128GCM'),
  AES256: encrypts('AES256', 'AES256GCM'),
  AES: encrypts('AES128', 'AES128GCM', 'AES256', 'AES256GCM'),
  AESGCM: encrypts('AES128GCM', 'AES256GCM'),
  CHACHA20: encrypts('CHACHA20'),
  SHA1: older,
  SHA: older,
  SSLv3: older,
  TLSv1: older,
  'TLSv1.2': current(({ digest }) => digest !== 'SHA1'),
};

const STRENGTHS: Readonly<Record<Encryption, number>> = {
  '3DES': 112,
  AES128: 128,
  AES128GCM: 128,
  AES256: 256,
  AES256GCM: 256,
  CHACHA20: 256,
};

/** What OpenSSL can use: without 3DES, and without keys that both sides know before. */
const usable = ({ auth, encryption }: Suite): boolean => auth !== 'aPSK' && encryption !== '3DES';

/** A list as its rules change it, one after the other: what is chosen, and what may still be. */
class Rules {
  /** In the order in which rules come upon them; `among` counts groups, within which all are as good as each other. */
  #list: { readonly suite: Suite; chosen: boolean; among: number | undefined }[] = SUITES.map((each) => ({
    suite: each,
    chosen: false,
    among: undefined,
  }));
  #groups = 0;

  apply(operator: string, test: Test, grouped: boolean): void {
    const matching = this.#list.filter(
      ({ suite: each, chosen }) => test(each) && (operator === '!' || chosen === (operator !== '')),
    );
    const rest = this.#list.filter((each) => !matching.includes(each));
    for (const each of matching) {
      each.chosen = operator === '' || operator === '+';
      each.among = operator === '' && grouped ? this.#groups : undefined;
    }
    if (operator === '!') this.#list = rest;
    else this.#list = operator === '-' ? [...matching, ...rest] : [...rest, ...matching];
  }

  byStrength(): void {
    for (const bits of [256, 128, 112]) this.apply('+', ({ encryption }) => STRENGTHS[encryption] === bits, false);
  }

  endGroup(): void {
    this.#groups++;
  }

  /** Undefined when nothing is chosen. */
  result(): CipherGroups | undefined {
    const chosen = this.#list.filter((each) => each.chosen);
    if (chosen.length === 0) return undefined;
    const groups: string[][] = [];
    let last: number | undefined;
    for (const { suite: each, among } of chosen) {
      if (!usable(each)) continue;
      if (among !== undefined && among === last) groups.at(-1)!.push(each.name);
      else groups.push([each.name]);
      last = among;
    }
    return groups;
  }
}

/**
 * Reads BoringSSL's notation: names and classes of suites (`ECDHE+AESGCM`), after an operator (`-`, `+`, `!`) or within a
 * group (`[A|B]`), parted by colons. The name or rule that is not known, if there is one; no groups when none is chosen.
 */
export function readCipherRules(
  names: readonly string[],
): { readonly unknown: string } | { readonly groups: CipherGroups | undefined } {
  const rules = new Rules();
  const items = names.join(':').split(':');
  if (items[0] === 'DEFAULT') {
    rules.apply('', any, false);
    items.shift();
  }
  let ordered = false;
  for (const item of items) {
    if (item === '') continue;
    // What is in a group has no order that rules could change.
    if (ordered && '-+!@'.includes(item[0]!)) return { unknown: item };
    if (item === '@STRENGTH') {
      rules.byStrength();
      continue;
    }
    const group = /^\[(.*)\]$/.exec(item)?.[1];
    const parts = group === undefined ? [item] : group.split('|').filter((part) => part !== '');
    for (const part of parts) {
      const operator = group === undefined && '-+!'.includes(part[0]!) ? part[0]! : '';
      const test = testOf(part.slice(operator.length));
      if (test === undefined) return { unknown: part };
      rules.apply(operator, test, group !== undefined);
    }
    if (group === undefined) continue;
    rules.endGroup();
    ordered = true;
  }
  return { groups: rules.result() };
}

function testOf(words: string): Test | undefined {
  if (OF_TLS_13.has(words)) return () => false;
  const named = SUITES.find(({ name, standard }) => name === words || standard === words);
  if (named !== undefined) return (each) => each === named;
  const tests = words.split('+').map((word) => (Object.hasOwn(ALIASES, word) ? ALIASES[word] : undefined));
  return tests.includes(undefined) ? undefined : (each) => tests.every((test) => test!(each));
}
