import type { Clock } from '../deps.ts';

/** A body in pieces, at most so many bytes a second. */
export async function* paced(body: Buffer, bytesPerSecond: number, clock: Clock): AsyncGenerator<Buffer> {
  const size = Math.max(1, Math.ceil(bytesPerSecond / 20));
  for (let at = 0; at < body.length; at += size) {
    if (at > 0) await new Promise<void>((resolve) => void clock.after((size / bytesPerSecond) * 1000, resolve));
    yield body.subarray(at, at + size);
  }
}
