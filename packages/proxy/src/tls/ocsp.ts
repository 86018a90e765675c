import { DER, derChildren, readDer, readDerTime } from './der.ts';

/** A response of the Online Certificate Status Protocol (RFC 6960) about one certificate. */
export interface OcspResponse {
  /** Serial number of the certificate, hexadecimal. */
  readonly serial: string;
  readonly thisUpdate: number;
  /** 0 when it does not say: it is never current then, as for Envoy. */
  readonly nextUpdate: number;
}

const RESPONDER = [0xa1, 0xa2];
const NEXT_UPDATE = 0xa0;
const BYTES = 0xa0;

/** Gives what is wrong with it in words, where it cannot be used. */
export function parseOcspResponse(bytes: Buffer): OcspResponse | string {
  try {
    const [status, responseBytes] = derChildren(readDer(bytes)[0]);
    if (status?.content[0] !== 0) return 'is not a successful response';
    if (responseBytes?.tag !== BYTES) return 'has no response';
    const basic = readDer(derChildren(derChildren(responseBytes)[0]).at(-1)!.content)[0];
    const data = derChildren(derChildren(basic)[0]);
    const responder = data.findIndex(({ tag }) => RESPONDER.includes(tag));
    const responses = derChildren(data[responder + 2]);
    if (responses.length !== 1) return 'must be about one certificate';
    const [id, , ...rest] = derChildren(responses[0]);
    const [thisUpdate, next] = rest;
    if (thisUpdate?.tag !== DER.generalizedTime) return 'has no time';
    return {
      serial: trimmed(derChildren(id)[3]!.content),
      thisUpdate: readDerTime(thisUpdate),
      nextUpdate: next?.tag === NEXT_UPDATE ? readDerTime(derChildren(next)[0]!) : 0,
    };
  } catch (error) {
    if (error instanceof RangeError) return 'is not a response';
    throw error;
  }
}

/** Without the zeros that DER puts before. */
function trimmed(serial: Buffer): string {
  return serial.toString('hex').replace(/^(00)+(?=.)/, '');
}
