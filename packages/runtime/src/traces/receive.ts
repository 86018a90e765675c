import type { IncomingMessage, ServerResponse } from 'node:http';
import { createGunzip, createInflate } from 'node:zlib';
import { BadReport } from './span.ts';
import type { TraceStore } from './store.ts';
import { readZipkin } from './zipkin.ts';

/** Where spans are posted to: OTLP over HTTP, and Zipkin's second version. */
export const OTLP_PATH = '/v1/traces';
export const ZIPKIN_PATH = '/api/v2/spans';

/** Of a report, unpacked. */
export const LONGEST = 8 * 1024 * 1024;

const JSON_TYPE = 'application/json';
const BINARY_TYPE = 'application/x-protobuf';

interface Reply {
  readonly status: number;
  readonly type?: string;
  readonly body?: Uint8Array | string;
}

export function takesSpans(method: string | undefined, path: string): boolean {
  return method === 'POST' && (path === OTLP_PATH || path === ZIPKIN_PATH);
}

/** Takes a report into the store and answers as its protocol wants. */
export async function receiveSpans(
  path: string,
  request: IncomingMessage,
  response: ServerResponse,
  store: TraceStore,
): Promise<void> {
  const type = (request.headers['content-type'] ?? '').split(';')[0]!.trim().toLowerCase();
  const reply = path === OTLP_PATH ? await takeOtlp(type, request, store) : await takeZipkin(type, request, store);
  const length = reply.body === undefined ? 0 : Buffer.byteLength(reply.body);
  response.writeHead(reply.status, {
    ...(reply.type === undefined ? {} : { 'content-type': reply.type }),
    'content-length': length,
  });
  response.end(reply.body);
}

async function takeZipkin(type: string, request: IncomingMessage, store: TraceStore): Promise<Reply> {
  try {
    if (type !== JSON_TYPE) throw new BadReport(`spans come as ${JSON_TYPE}`, 415);
    store.add(readZipkin((await readBody(request)).toString('utf8')).spans);
    return { status: 202 };
  } catch (error) {
    if (!(error instanceof BadReport)) throw error;
    return { status: error.status, type: 'text/plain', body: `${error.message}\n` };
  }
}

/** Loaded when somebody reports so: it brings all the messages of protobuf with it. */
async function takeOtlp(type: string, request: IncomingMessage, store: TraceStore): Promise<Reply> {
  const { otlpBinary, otlpJson } = await import('./otlp.ts');
  const form = type === BINARY_TYPE ? otlpBinary : otlpJson;
  const answer = { type: type === BINARY_TYPE ? BINARY_TYPE : JSON_TYPE };
  try {
    if (type !== BINARY_TYPE && type !== JSON_TYPE)
      throw new BadReport(`spans come as ${BINARY_TYPE} or ${JSON_TYPE}`, 415);
    const { spans, rejected } = form.read(await readBody(request));
    store.add(spans);
    return { ...answer, status: 200, body: form.success(rejected) };
  } catch (error) {
    if (!(error instanceof BadReport)) throw error;
    return { ...answer, status: error.status, body: form.failure(error.message) };
  }
}

/** @throws BadReport */
async function readBody(request: IncomingMessage): Promise<Buffer> {
  const coding = request.headers['content-encoding'] ?? 'identity';
  if (coding !== 'identity' && coding !== 'gzip' && coding !== 'deflate') {
    throw new BadReport(`\`${coding}\` is not a coding that is understood: \`gzip\` and \`deflate\` are`);
  }
  const unpacked =
    coding === 'identity'
      ? // Who has sent too much is to get its answer, by the connection that it has.
        request.iterator({ destroyOnReturn: false })
      : request.compose(coding === 'gzip' ? createGunzip() : createInflate());
  const parts: Buffer[] = [];
  let size = 0;
  try {
    for await (const part of unpacked as AsyncIterable<Buffer>) {
      size += part.length;
      if (size > LONGEST) throw new BadReport(`a report is not longer than ${LONGEST} bytes`, 413);
      parts.push(part);
    }
  } catch (error) {
    request.resume();
    throw error instanceof BadReport ? error : new BadReport('the body cannot be unpacked');
  }
  return Buffer.concat(parts);
}
