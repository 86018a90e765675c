import { isDeepStrictEqual } from 'node:util';
import { decode, encode, XdsCodecError } from '@mizzen/xds/binary/index.ts';
import { mutateBytes } from '../bytes.ts';
import { dictionary, mutateTree } from '../tree.ts';
import type { Random } from '../random.ts';
import { type Input, type Target, withLess } from '../target.ts';
import { SAMPLES } from './samples.ts';

const types = Object.keys(SAMPLES);
const words = dictionary(Object.values(SAMPLES).flat());

function make(random: Random): Input {
  const type = random.pick(types);
  const sample = random.pick(SAMPLES[type]!);
  if (random.chance(0.4)) return { type, json: JSON.stringify(mutateTree(random, sample, words)) };
  const other = random.pick(SAMPLES[random.pick(types)]!);
  const bytes = random.chance(0.1) ? new Uint8Array() : encode(type, sample);
  const mutated = mutateBytes(random, bytes, random.chance(0.2) ? encodeAny(other) : bytes);
  return { type, bytes: Buffer.from(mutated).toString('base64') };
}

/** Some other message's bytes, to take parts of. */
function encodeAny(value: object): Uint8Array {
  const type = types.find((each) => SAMPLES[each]!.includes(value))!;
  return encode(type, value);
}

/** Undefined for what the codec refuses as it should. */
function attempt<T>(run: () => T): T | undefined {
  try {
    return run();
  } catch (error) {
    if (error instanceof XdsCodecError) return undefined;
    throw error;
  }
}

/** Whether some Any in it is kept as bytes: what is not known cannot be encoded again. */
function hasUnknown(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  const any = value as { readonly '@type'?: unknown; readonly value?: unknown };
  if (typeof any['@type'] === 'string' && typeof any.value === 'string') return true;
  return Object.values(value).some(hasUnknown);
}

function run(input: Input): void {
  const type = input['type']!;
  const json =
    input['json'] === undefined
      ? attempt(() => decode(type, Buffer.from(input['bytes']!, 'base64')))
      : (JSON.parse(input['json']) as object);
  if (json === undefined || hasUnknown(json)) return;
  const wire = attempt(() => encode(type, json));
  if (wire === undefined) {
    if (input['json'] !== undefined) return;
    // Repeats the error with its message.
    encode(type, json);
    return;
  }
  // What was written can be read, and is the same when it is written and read again.
  const once = decode(type, wire);
  const twice = decode(type, encode(type, once));
  if (!isDeepStrictEqual(once, twice)) throw new Error('is another message when it is written and read again');
  if (input['json'] === undefined && !isDeepStrictEqual(json, once)) {
    throw new Error('is another message when it is written after it was read');
  }
}

/** Mutated messages, as binary and as JSON, through the codec. */
export const codec: Target = { make, run, smaller: withLess };
