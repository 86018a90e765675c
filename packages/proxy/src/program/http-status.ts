import { schema } from './schema.ts';

/** The number of an `envoy.type.v3.StatusCode`, which comes as a number or by name; undefined when none is given. */
export function httpStatus(code: string | number | undefined): number | undefined {
  const status = typeof code === 'string' ? schema().enums['envoy.type.v3.StatusCode']?.[code] : code;
  return status === 0 ? undefined : status;
}
