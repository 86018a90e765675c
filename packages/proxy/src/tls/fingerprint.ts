import { crypto } from '../node-tls.ts';
import type { ClientHello } from './client-hello.ts';

const SERVER_NAME = 0;
const ALPN = 16;

/** Values that clients send to keep servers tolerant (RFC 8701). */
function isGrease(value: number): boolean {
  return (value & 0x0f0f) === 0x0a0a && value >> 8 === (value & 0xff);
}

/** JA3: MD5 of version, cipher suites, extensions, groups and point formats, in the client's order. */
export function ja3(hello: ClientHello): string {
  const list = (numbers: readonly number[]): string => numbers.filter((each) => !isGrease(each)).join('-');
  const { version, cipherSuites, extensions, groups, pointFormats } = hello;
  const text = [version, list(cipherSuites), list(extensions), list(groups), pointFormats.join('-')].join(',');
  return crypto().createHash('md5').update(text).digest('hex');
}

const VERSIONS: Readonly<Record<number, string>> = {
  0x0304: '13',
  0x0303: '12',
  0x0302: '11',
  0x0301: '10',
  0x0300: 's3',
  0x0002: 's2',
};

/** JA4: readable counts, then shortened SHA-256 of the sorted cipher suites, and of extensions and signature algorithms. */
export function ja4(hello: ClientHello): string {
  const plain = (numbers: readonly number[]): readonly number[] => numbers.filter((each) => !isGrease(each));
  const ciphers = plain(hello.cipherSuites);
  const extensions = plain(hello.extensions);
  const version = Math.max(...plain(hello.supportedVersions), hello.supportedVersions.length === 0 ? hello.version : 0);
  const alpn = hello.applicationProtocols[0] ?? '';
  const head = [
    't',
    VERSIONS[version] ?? '00',
    extensions.includes(SERVER_NAME) ? 'd' : 'i',
    count(ciphers.length),
    count(extensions.length),
    alpn === '' ? '00' : `${alpn[0]}${alpn.at(-1)}`,
  ].join('');
  const sorted = hex(ciphers).toSorted().join(',');
  const others = hex(extensions.filter((each) => each !== SERVER_NAME && each !== ALPN)).toSorted();
  const algorithms = hex(plain(hello.signatureAlgorithms));
  const tail = `${others.join(',')}${algorithms.length === 0 ? '' : `_${algorithms.join(',')}`}`;
  return `${head}_${shortHash(sorted)}_${shortHash(others.length === 0 ? '' : tail)}`;
}

function count(value: number): string {
  return String(Math.min(99, value)).padStart(2, '0');
}

function hex(numbers: readonly number[]): string[] {
  return numbers.map((each) => each.toString(16).padStart(4, '0'));
}

function shortHash(text: string): string {
  return text === '' ? '000000000000' : crypto().createHash('sha256').update(text).digest('hex').slice(0, 12);
}
