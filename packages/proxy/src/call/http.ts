import type { ResponseParser } from '../codec/response-parser.ts';
import type { Deps } from '../deps.ts';
import { AsyncRequest, type AsyncCallbacks, type AsyncFailure } from '../http/async-request.ts';
import { Headers } from '../http/headers.ts';
import { entered, turnNow } from '../http/turn.ts';
import type { MirrorSource } from '../http/mirror.ts';
import { OWN_CONNECTION } from '../http/own-connection.ts';
import { keep } from '../http/reads.ts';
import { startShadows } from '../http/shadows.ts';
import type { HttpAnswer, HttpCall, PendingCall } from '../program/types.ts';
import { CallError, failedCall } from './error.ts';

/** The largest answer that is read, bytes: what Envoy buffers of one. */
const MAX_ANSWER = 1024 * 1024;

/** Of a router that nobody has configured. */
const ROUTER = { dynamicStats: true, suppressEnvoyHeaders: false, suppressGrpcRequestFailureCodeStats: false };

/** Sends one HTTP/1.1 request over the pools of a cluster and reads the whole answer. */
export function callHttp(clusters: MirrorSource['clusters'], call: HttpCall, deps: Deps): PendingCall<HttpAnswer> {
  const cluster = clusters.cluster(call.cluster);
  if (cluster === undefined) {
    return failedCall(new CallError('no cluster', `cluster \`${call.cluster}\` is not known`));
  }
  clusters.asyncRequests.value++;
  const reader = new AnswerReader();
  const { method, path, authority, body, timeout, retry } = call;
  const request = new AsyncRequest(
    {
      deps,
      cluster,
      request: { method, path, authority, scheme: 'http', headers: headersOf(call) },
      connection: OWN_CONNECTION,
      router: ROUTER,
      upgrade: '',
      expectsBody: call.chunked === true,
      retry,
      timeout,
      bufferLimit: Infinity,
      clusters,
      tracing: undefined,
      span: undefined,
      copiedTo: [cluster.name],
      startCopies: startShadows,
    },
    reader,
  );
  const answer = reader.read(request);
  if (body !== undefined) request.body.add(body);
  request.body.complete = true;
  entered(() => request.start());
  if (reader.failure === undefined) return { answer, cancel: () => request.cancel() };
  answer.catch(() => undefined);
  return { answer, failed: true, cancel: () => undefined };
}

function headersOf({ body, chunked, headers: flat, forwardedFor }: HttpCall): Headers {
  const headers = new Headers(
    body === undefined || chunked === true ? [...flat] : ['content-length', String(body.length), ...flat],
  );
  // Of what clients and their tokens say.
  headers.unchecked = true;
  headers.set('x-envoy-internal', 'true');
  if (forwardedFor !== undefined) headers.append('x-forwarded-for', forwardedFor);
  return headers;
}

/** Gathers an answer. */
class AnswerReader implements AsyncCallbacks {
  #request: AsyncRequest | undefined;
  #resolve: ((answer: HttpAnswer) => void) | undefined;
  #reject: ((error: CallError) => void) | undefined;
  readonly #parts: Buffer[] = [];
  #bytes = 0;
  failure: CallError | undefined;
  #headers: readonly string[] = [];

  read(request: AsyncRequest): Promise<HttpAnswer> {
    this.#request = request;
    return new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
  }

  onHead({ flat }: ResponseParser): void {
    const { info, deps } = this.#request!;
    const took = Math.max(0, Math.trunc(turnNow(deps.clock) - info.requestEndTime));
    this.#headers = [...flat, 'x-envoy-upstream-service-time', String(took)];
  }

  onData(data: Buffer): void {
    this.#bytes += data.length;
    if (this.#bytes <= MAX_ANSWER) {
      this.#parts.push(keep(data));
      return;
    }
    this.#request!.cancel();
    this.#reject!(new CallError('overflow', `the answer is larger than ${MAX_ANSWER} bytes`));
  }

  onOver(failure: AsyncFailure | undefined): void {
    const status = this.#request!.info.responseCode;
    if (failure === undefined) this.#resolve!({ status, headers: this.#headers, body: Buffer.concat(this.#parts) });
    // What Envoy answers itself.
    else if (failure.reason === 'invalid') this.#resolve!({ status, headers: [], body: Buffer.alloc(0) });
    else if (failure.reason !== 'cancelled') {
      this.failure = new CallError(failure.reason, failure.message);
      this.#reject!(this.failure);
    }
  }
}
