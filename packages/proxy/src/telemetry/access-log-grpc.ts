import { readUnsigned } from '../http/unsigned.ts';
import type { LogSource } from '../program/types.ts';

const NAMES = [
  'OK',
  'Canceled',
  'Unknown',
  'InvalidArgument',
  'DeadlineExceeded',
  'NotFound',
  'AlreadyExists',
  'PermissionDenied',
  'ResourceExhausted',
  'FailedPrecondition',
  'Aborted',
  'OutOfRange',
  'Unimplemented',
  'Internal',
  'Unavailable',
  'DataLoss',
  'Unauthenticated',
];

/** `PermissionDenied`, or `PERMISSION_DENIED`; numbers without a name stay numbers. */
export function grpcStatusName(status: number, snake: boolean): string {
  const name = NAMES[status];
  if (name === undefined) return String(status);
  return snake ? name.replace(/([a-z])([A-Z])/g, '$1_$2').toUpperCase() : name;
}

/** By status of gRPC. */
const HTTP_STATUS = [200, 499, 500, 400, 504, 404, 409, 403, 429, 400, 409, 400, 501, 500, 503, 500, 401];

/** The status of HTTP that Envoy takes one of gRPC for. */
export function httpStatusOf(grpcStatus: string): number {
  return HTTP_STATUS[readUnsigned(grpcStatus) ?? -1] ?? 500;
}

export function trailer(source: LogSource, name: string): string | undefined {
  const { trailers } = source;
  if (trailers === undefined) return undefined;
  for (let i = 0; i < trailers.length; i += 2) if (trailers[i] === name) return trailers[i + 1];
  return undefined;
}

/** With parameters it is something else. */
export function isGrpc(contentType: string | undefined): boolean {
  return (
    contentType !== undefined &&
    contentType.startsWith('application/grpc') &&
    (contentType.length === 16 || contentType[16] === '+')
  );
}

/** What trailers or the head say; otherwise what the HTTP status means to gRPC. */
export function grpcStatusOf(source: LogSource): number | undefined {
  const text = trailer(source, 'grpc-status') ?? source.response?.headers.get('grpc-status');
  if (text !== undefined) return readUnsigned(text) ?? -1;
  const { responseCode } = source.info;
  return responseCode === 0 ? undefined : grpcOfHttp(responseCode);
}

/** gRPC's own table of what an HTTP status means. */
export function grpcOfHttp(status: number): number {
  switch (status) {
    case 400:
      return 13;
    case 401:
      return 16;
    case 403:
      return 7;
    case 404:
      return 12;
    case 429:
    case 502:
    case 503:
    case 504:
      return 14;
    default:
      return 2;
  }
}
