import { ResponseFlag } from '../types.ts';

/** Why an attempt ended without a whole response. */
export type ResetReason =
  | 'local connection failure'
  | 'remote connection failure'
  | 'connection timeout'
  | 'connection termination'
  | 'protocol error'
  | 'overflow'
  | 'remote reset';

/** Status and flag of the reply when nothing of a response had been seen. */
export function resetOutcome(reason: ResetReason): { readonly status: number; readonly flag: number } {
  switch (reason) {
    case 'local connection failure':
    case 'remote connection failure':
    case 'connection timeout':
      return { status: 503, flag: ResponseFlag.UF };
    case 'connection termination':
      return { status: 503, flag: ResponseFlag.UC };
    case 'protocol error':
      return { status: 502, flag: ResponseFlag.UPE };
    case 'overflow':
      return { status: 503, flag: ResponseFlag.UO };
    case 'remote reset':
      return { status: 503, flag: ResponseFlag.UR };
  }
}

/** `upstream_reset_before_response_started{remote_connection_failure|delayed_connect_error:…}` */
export function resetDetails(before: string, reason: ResetReason, transport: string): string {
  const inside = transport === '' ? reason : `${reason}|${transport}`;
  return `${before}{${inside.replaceAll(' ', '_')}}`;
}
