import { grpcOfHttp } from '../telemetry/access-log-grpc.ts';
import type { ResponseHead } from '../types.ts';
import { Headers } from './headers.ts';
import type { ActiveStream } from './stream.ts';

/**
 * The head and body of a reply that is made here: what the request's route adds to responses, `extra` fields, the rest. Bodies
 * are bytes, one character each. `status` is what the reply says, which the head of one to a gRPC client does not.
 */
export function buildLocalReply(
  stream: ActiveStream,
  status: number,
  body: string,
  extra: readonly [string, string][] | undefined,
  asGrpc?: number,
): { readonly head: ResponseHead; readonly body: string; readonly status: number } {
  const headers = new Headers();
  const decision = stream.request.method === '' ? undefined : stream.route();
  const head: ResponseHead = { status, headers };
  if (decision?.kind === 'cluster') {
    stream.response = head;
    decision.route.rewriteResponse(head, stream, decision.weighted);
  }
  if (extra !== undefined) for (const [name, value] of extra) headers.add(name, value);
  const { localReply } = stream.hcm.program;
  const given = body;
  let contentType = 'text/plain';
  const type = headers.get('content-type');
  if (localReply !== undefined) {
    stream.info.responseCode = status;
    stream.response = head;
    ({ body, contentType } = localReply.rewrite(stream, head, body));
  }
  if (stream.grpc)
    return {
      head: grpcReply(
        headers,
        asGrpc ?? grpcOfHttp(head.status),
        // The line end of JSON is of no use in a field.
        stream.request.method === 'HEAD' ? '' : contentType === 'application/json' ? body.replace(/\n$/, '') : body,
      ),
      body: '',
      status: head.status,
    };
  if (body === '') {
    headers.remove('content-length');
    headers.remove('content-type');
  } else {
    headers.set('content-length', String(body.length));
    // Whoever replied may know the type of the body that it gave, but not of another; a mapper knows that of its own.
    const now = headers.get('content-type');
    if (now === undefined || (body !== given && now === type)) headers.set('content-type', contentType);
  }
  return { head, body, status: head.status };
}

/** The fields of a reply that is made of nothing else. */
export function headersOf(fields: readonly [string, string][] | undefined): Headers {
  const headers = new Headers();
  if (fields !== undefined) for (const [name, value] of fields) headers.add(name, value);
  return headers;
}

/** A gRPC client reads the status from trailers, which here are the whole response. */
function grpcReply(headers: Headers, grpcStatus: number, body: string): ResponseHead {
  // Of a body that is not sent: whoever refused may have passed on the fields of an answer.
  headers.remove('content-length');
  headers.set('content-type', 'application/grpc');
  headers.set('grpc-status', String(grpcStatus));
  if (body !== '') {
    headers.set(
      'grpc-message',
      body.replaceAll(/[^\x20-\x24\x26-\x7e]/g, (char) => encodeByte(char)),
    );
  }
  return { status: 200, headers };
}

function encodeByte(char: string): string {
  return `%${char.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`;
}
