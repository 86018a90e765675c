/**
 * Random HTTP/1 traffic through random options of the connection manager: raw bytes of requests and of answers, most of them
 * a little wrong. Mizzen's proxy and Envoy must do the same with them in all that the conformance suite observes.
 */
import { readCases, type Case } from '../../conformance/case.ts';
import type { Difference } from '../../conformance/compare.ts';
import { run } from '../../conformance/run.ts';
import { parseRequest, type Request } from '../../conformance/request.ts';
import { Random } from '../fuzz/random.ts';
import {
  ANSWER_FIELDS,
  BODIES,
  CHUNKS,
  ENDS,
  FIELDS,
  HOSTS,
  METHODS,
  OPTIONS,
  STATUS_LINES,
  TARGETS,
  VERSIONS,
} from './http-words.ts';

/** Milliseconds in which a request is answered, and a connection closed. */
const WAIT = 600;

function fields(random: Random, from: readonly (readonly [string, readonly string[]])[], most: number): string {
  let text = '';
  for (let i = random.below(most + 1); i > 0; i--) {
    const [name, values] = random.pick(from);
    const end = random.below(40) === 0 ? '\n' : random.below(60) === 0 ? '\r' : '\r\n';
    const colon = random.below(30) === 0 ? random.pick([':', ' : ', ':\t', '::']) : ': ';
    text += `${name}${colon}${random.pick(values)}${end}`;
  }
  return text;
}

function body(random: Random, head: string): string {
  const chunked = /transfer-encoding/i.test(head);
  if (!chunked) return random.pick(['', '', 'abc', 'abcde', 'GET /after HTTP/1.1\r\nHost: b\r\n\r\n']);
  let text = '';
  for (let i = random.below(3); i > 0; i--) text += random.below(3) === 0 ? random.pick(CHUNKS) : CHUNKS[0]!;
  return text + random.pick(ENDS);
}

function answerWord(random: Random): string {
  let head = `${random.below(2) === 0 ? 'HTTP/1.1 200 OK' : random.pick(STATUS_LINES)}\r\n`;
  head += fields(random, ANSWER_FIELDS, 3);
  const bytes = `${head}\r\n${random.pick(BODIES)}${random.below(3) > 0 ? '\0' : ''}`;
  return `raw:${[...Buffer.from(bytes, 'latin1')].map((byte) => (byte > 0x20 && byte < 0x7f && byte !== 0x25 ? String.fromCharCode(byte) : `%${byte.toString(16).padStart(2, '0')}`)).join('')}`;
}

function request(random: Random): Request {
  const odd = random.below(4) === 0;
  const line = `${odd ? random.pick(METHODS) : random.pick(METHODS.slice(0, 9))} ${random.below(2) === 0 ? random.pick(TARGETS) : '/'} ${odd ? random.pick(VERSIONS) : 'HTTP/1.1'}\r\n`;
  let head = random.below(12) === 0 ? '' : `Host: ${random.below(3) === 0 ? random.pick(HOSTS) : 'test'}\r\n`;
  head += fields(random, FIELDS, 4);
  if (random.below(3) === 0) head += `x-answer: ${answerWord(random)}\r\n`;
  let bytes = `${random.below(40) === 0 ? '\r\n' : ''}${line}${head}\r\n${body(random, head)}`;
  if (random.below(12) === 0) {
    const at = random.below(bytes.length);
    bytes =
      bytes.slice(0, at) +
      random.pick(['', '\r', '\n', '\0', ' ', ':', '\xff', '\r\n']) +
      bytes.slice(at + random.below(2));
  }
  const split = random.below(3) === 0 ? random.below(bytes.length) : 0;
  return parseRequest({
    send: split > 0 ? [bytes.slice(0, split), bytes.slice(split)] : [bytes],
    wait: WAIT,
    settle: 0,
    gap: 15,
  });
}

/** A case of so many random requests. */
export function randomCase(seed: number, requests: number): Case {
  const random = new Random(seed);
  const [template] = readCases('smuggling/pipelines');
  const hcm: Record<string, unknown> = { delayedCloseTimeout: '0.050s' };
  for (const choice of OPTIONS) Object.assign(hcm, random.pick(choice));
  return {
    ...template!,
    name: `http/${seed}`,
    parallel: 10,
    stats: [],
    statsDiffer: undefined,
    statsPending: undefined,
    configuration: { hcm: hcm as object },
    requests: Array.from({ length: requests }, () => request(random)),
  };
}

/** Traffic on which the proxies differ, with what brings it back. */
export interface Apart {
  readonly seed: number;
  readonly configuration: object;
  readonly sent: readonly string[];
  readonly differences: readonly Difference[];
}

/** Runs a random case on both; what differs. */
export async function compareTraffic(seed: number, requests: number): Promise<Apart[]> {
  const one = randomCase(seed, requests);
  const { verdicts } = await run(one, ['envoy', 'mizzen']);
  return verdicts.flatMap(({ result, differences }, i) =>
    result === 'failed'
      ? [{ seed, configuration: one.configuration, sent: one.requests[i]?.send ?? [], differences }]
      : [],
  );
}
