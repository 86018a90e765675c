import { crypto } from '../node-tls.ts';
import type { SecureContext } from 'node:tls';

/** What a native SecureContext offers to those who manage keys of tickets themselves. */
interface TicketKeyContext {
  onticketkeycallback: (name: Buffer, iv: Buffer, encrypts: boolean) => readonly unknown[];
  enableTicketKeyCallback(): void;
}

interface TicketKey {
  readonly name: Buffer;
  readonly hmac: Buffer;
  readonly aes: Buffer;
}

/** Node wants keys in every answer, and ends the process where there are none. */
const UNKNOWN = [0, Buffer.alloc(16), Buffer.alloc(16)];
const NO_TICKET = [...UNKNOWN, Buffer.alloc(16), Buffer.alloc(16)];

/**
 * Makes a context encrypt its session tickets with the first of the keys (80 bytes: 16 of name, 64 of secret) and take
 * those of all; a ticket of an older one is replaced.
 */
export function useTicketKeys({ context }: SecureContext, keys: readonly Buffer[]): void {
  const native = context as TicketKeyContext;
  const known = keys.map(ticketKey);
  const [current] = known;
  if (current === undefined) return;
  native.onticketkeycallback = (name, _iv, encrypts) => {
    if (encrypts) return [1, current.hmac, current.aes, current.name, crypto().randomBytes(16)];
    const key = known.find((each) => each.name.equals(name));
    if (key === undefined) return UNKNOWN;
    return [key === current ? 1 : 2, key.hmac, key.aes];
  };
  native.enableTicketKeyCallback();
}

/**
 * Makes a context give no tickets in TLS 1.3, and take none: without them in its options (`SSL_OP_NO_TICKET`) OpenSSL gives
 * others there, which lead to sessions that nobody keeps.
 */
export function giveNoTickets({ context }: SecureContext): void {
  const native = context as TicketKeyContext;
  native.onticketkeycallback = (_name, _iv, encrypts) => (encrypts ? NO_TICKET : UNKNOWN);
  native.enableTicketKeyCallback();
}

/** OpenSSL, by way of Node, takes 16 bytes of each kind. */
function ticketKey(key: Buffer): TicketKey {
  return {
    name: key.subarray(0, 16),
    hmac: shortened(key.subarray(16, 48)),
    aes: shortened(key.subarray(48, 80)),
  };
}

function shortened(secret: Buffer): Buffer {
  return crypto().createHash('sha256').update(secret).digest().subarray(0, 16);
}
