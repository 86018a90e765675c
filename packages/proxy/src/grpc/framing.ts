/** A message is longer than its receiver takes, or not what gRPC frames (gRPC over HTTP/2, "Length-Prefixed-Message"). */
export class FramingError extends Error {}

const HEAD = 5;

/** One message as it goes over the wire, not compressed. */
export function frame(message: Uint8Array): Buffer {
  const bytes = Buffer.allocUnsafe(HEAD + message.length);
  bytes[0] = 0;
  bytes.writeUInt32BE(message.length, 1);
  bytes.set(message, HEAD);
  return bytes;
}

/** Puts the messages of a stream together from the pieces they come in. */
export class FrameReader {
  readonly #max: number;
  #parts: Buffer[] = [];
  #size = 0;

  /** `max`: the longest message, bytes. */
  constructor(max: number) {
    this.#max = max;
  }

  /** The messages that are complete now. @throws FramingError */
  push(chunk: Buffer): Buffer[] {
    this.#parts.push(chunk);
    this.#size += chunk.length;
    const messages: Buffer[] = [];
    while (this.#size >= HEAD) {
      const head = this.#join(HEAD);
      if (head[0] !== 0) throw new FramingError('a message is compressed, which nobody asked for');
      const length = head.readUInt32BE(1);
      if (length > this.#max) throw new FramingError(`a message of ${length} bytes is longer than ${this.#max}`);
      if (this.#size < HEAD + length) break;
      const bytes = this.#join(HEAD + length);
      messages.push(bytes.subarray(HEAD, HEAD + length));
      this.#parts = bytes.length > HEAD + length ? [bytes.subarray(HEAD + length)] : [];
      this.#size -= HEAD + length;
    }
    return messages;
  }

  /** One buffer that has at least the first `wanted` bytes; pieces are joined only when they must be. */
  #join(wanted: number): Buffer {
    if (this.#parts[0]!.length >= wanted) return this.#parts[0]!;
    const joined = Buffer.concat(this.#parts);
    this.#parts = [joined];
    return joined;
  }
}
