import type { X509Certificate } from 'node:crypto';
import { wire } from '../program/values.ts';
import { DER, derChildren, readDer, readOid, type DerElement } from './der.ts';

const SUBJECT_ALT_NAME = '2.5.29.17';
const TLS_FEATURE = '1.3.6.1.5.5.7.1.24';
const BASIC_CONSTRAINTS = '2.5.29.19';
const KEY_USAGE = '2.5.29.15';
const EXTENSIONS = 0xa3;
const OTHER_NAME = 0xa0;

/** A name of a kind that only its object identifier tells. */
export interface OtherName {
  readonly oid: string;
  /** In wire form, one character a byte. */
  readonly value: string;
}

interface Extension {
  readonly oid: string;
  readonly critical: boolean;
  readonly content: Buffer;
}

function* extensionsOf(certificate: X509Certificate): Generator<Extension> {
  const [tbs] = derChildren(readDer(certificate.raw)[0]);
  const extensions = derChildren(tbs).find(({ tag }) => tag === EXTENSIONS);
  if (extensions === undefined) return;
  for (const each of derChildren(derChildren(extensions)[0])) {
    const [type, ...rest] = derChildren(each);
    if (type === undefined || rest.length === 0) throw new RangeError('extension');
    const critical = rest.length > 1 && rest[0]!.content[0] !== 0;
    yield { oid: readOid(type.content), critical, content: rest.at(-1)!.content };
  }
}

/** The content of an extension, by its object identifier. */
function extension(certificate: X509Certificate, oid: string): Buffer | undefined {
  for (const each of extensionsOf(certificate)) if (each.oid === oid) return each.content;
  return undefined;
}

/** Of usage, alternative names, constraints, and policies: what BoringSSL's verifier understands. */
const UNDERSTOOD = new Set([15, 17, 19, 30, 32, 33, 36, 37, 54].map((number) => `2.5.29.${number}`));

/** It says something that nobody may pass over who does not understand it. */
export function saysMore(certificate: X509Certificate): boolean {
  for (const { critical, oid } of extensionsOf(certificate)) if (critical && !UNDERSTOOD.has(oid)) return true;
  return false;
}

const otherNamesOf = new WeakMap<X509Certificate, readonly OtherName[]>();

/** Names of type `otherName` among the subject's alternative names. */
export function otherNames(certificate: X509Certificate): readonly OtherName[] {
  let names = otherNamesOf.get(certificate);
  if (names === undefined) otherNamesOf.set(certificate, (names = readOtherNames(certificate)));
  return names;
}

function readOtherNames(certificate: X509Certificate): OtherName[] {
  try {
    const content = extension(certificate, SUBJECT_ALT_NAME);
    if (content === undefined) return [];
    return derChildren(readDer(content)[0])
      .filter(({ tag }) => tag === OTHER_NAME)
      .map((name) => {
        const [type, value] = derChildren(name);
        const [held] = derChildren(value);
        return { oid: readOid(type!.content), value: textOf(held) };
      });
  } catch (error) {
    if (error instanceof RangeError) return [];
    throw error;
  }
}

const BOOLEAN = 0x01;
const INTEGER = 0x02;
const BIT_STRING = 0x03;
const ENUMERATED = 0x0a;
const UNIVERSAL_STRING = 0x1c;
const BMP_STRING = 0x1e;
const SET = 0x31;
/** UTF8String, PrintableString, T61String, IA5String, VisibleString and GeneralString. */
const STRINGS: ReadonlySet<number> = new Set([0x0c, 0x13, 0x14, 0x16, 0x1a, 0x1b]);

/** As Envoy has it; of other types it has none. */
function textOf(element: DerElement | undefined): string {
  if (element === undefined) return '';
  const { tag, content, whole } = element;
  switch (tag) {
    case DER.oid:
      return readOid(content);
    case BOOLEAN:
      return content.every((byte) => byte === 0) ? 'false' : 'true';
    case INTEGER:
    case ENUMERATED:
      return content.length === 0 ? '0' : signed(content).toString();
    case BIT_STRING:
      // The first byte counts bits that are not used.
      return content.subarray(1).toString('latin1');
    case BMP_STRING:
      return wire(Buffer.from(content).swap16().toString('utf16le'));
    case UNIVERSAL_STRING:
      return wire(readUtf32(content));
    case DER.sequence:
    case SET:
      return whole.toString('latin1');
    case DER.octets:
    case DER.utcTime:
    case DER.generalizedTime:
      return content.toString('latin1');
    default:
      return STRINGS.has(tag) ? content.toString('latin1') : '';
  }
}

function signed(content: Buffer): bigint {
  return BigInt.asIntN(content.length * 8, BigInt(`0x${content.toString('hex')}`));
}

function readUtf32(content: Buffer): string {
  let text = '';
  for (let at = 0; at + 4 <= content.length; at += 4) text += String.fromCodePoint(content.readUInt32BE(at));
  return text;
}

/** It demands that its holder staples (RFC 7633). */
export function mustStaple(certificate: X509Certificate): boolean {
  return extension(certificate, TLS_FEATURE) !== undefined;
}

/** Whether it may be the certificate of a workload: it says that it vouches for no other (SPIFFE X509-SVID, section 4). */
export function isLeaf(certificate: X509Certificate): boolean {
  const constraints = extension(certificate, BASIC_CONSTRAINTS);
  if (constraints !== undefined && derChildren(readDer(constraints)[0])[0]?.content[0] === 0xff) return false;
  const usage = keyUsage(certificate);
  if (usage === 'unreadable') throw new RangeError('key usage');
  return usage !== undefined && !mayBe(usage, 'keyCertSign', 'cRLSign');
}

/** Its key usage, if it says any, has the signing of certificates in it. */
export function maySign(certificate: X509Certificate): boolean {
  const usage = keyUsage(certificate);
  return usage === undefined || (usage !== 'unreadable' && mayBe(usage, 'keyCertSign'));
}

const USAGES = {
  digitalSignature: 0x80,
  keyEncipherment: 0x20,
  keyAgreement: 0x08,
  keyCertSign: 0x04,
  cRLSign: 0x02,
} as const;

/** One of these is what a key with such bits is for. */
export function mayBe(usage: number, ...what: readonly (keyof typeof USAGES)[]): boolean {
  return what.some((each) => (usage & USAGES[each]) !== 0);
}

/** What a key is for, by the first bits; undefined: nothing is said of it. */
export function keyUsage(certificate: X509Certificate): number | 'unreadable' | undefined {
  try {
    const content = extension(certificate, KEY_USAGE);
    if (content === undefined) return undefined;
    const [bits, ...more] = readDer(content);
    if (bits?.tag !== BIT_STRING || more.length > 0) return 'unreadable';
    // The first byte counts bits of the last that are not used.
    const [unused = 8, first] = bits.content;
    return unused > 7 || (first === undefined && unused > 0) ? 'unreadable' : (first ?? 0);
  } catch (error) {
    if (error instanceof RangeError) return 'unreadable';
    throw error;
  }
}

/** How many authorities may stand between it and a certificate of a workload; without a limit Infinity. */
export function pathLength(certificate: X509Certificate): number {
  try {
    const constraints = extension(certificate, BASIC_CONSTRAINTS);
    const limit =
      constraints === undefined
        ? undefined
        : derChildren(readDer(constraints)[0]).find(({ tag }) => tag === INTEGER)?.content;
    return limit === undefined ? Infinity : Number.parseInt(limit.toString('hex'), 16);
  } catch (error) {
    if (error instanceof RangeError) return 0;
    throw error;
  }
}

/** As DER has them, to be compared with those of revocation lists. */
export function issuerAndSerial(certificate: X509Certificate): { readonly issuer: Buffer; readonly serial: Buffer } {
  const [tbs] = derChildren(readDer(certificate.raw)[0]);
  const fields = derChildren(tbs).filter(({ tag }) => tag !== 0xa0);
  return { serial: fields[0]!.content, issuer: fields[2]!.whole };
}
