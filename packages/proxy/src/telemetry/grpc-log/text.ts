import { isAscii } from '../../program/values.ts';

/** Text of bytes on the wire; what is not UTF-8 is `!`, byte by byte, as Envoy puts it into protobuf. */
export function utf8(bytes: string): string {
  if (isAscii(bytes)) return bytes;
  const text = Buffer.from(bytes, 'latin1').toString('utf8');
  if (!text.includes('\uFFFD')) return text;
  return bytes.replaceAll(SEQUENCES, (sequence) => {
    const read = Buffer.from(sequence, 'latin1').toString('utf8');
    return read.includes('\uFFFD') ? '!'.repeat(sequence.length) : read;
  });
}

const SEQUENCES = /[\xC2-\xDF][\x80-\xBF]|[\xE0-\xEF][\x80-\xBF]{2}|[\xF0-\xF4][\x80-\xBF]{3}|[\x80-\xFF]/g;
