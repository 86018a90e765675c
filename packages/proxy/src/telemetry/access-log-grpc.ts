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

/** The status of an upper-case name such as `UNAVAILABLE`, or undefined. */
export function grpcStatusNumber(name: string): number | undefined {
  const found = NAMES.findIndex((_, status) => grpcStatusName(status, true) === name);
  return found < 0 ? undefined : found;
}
