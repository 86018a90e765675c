import { hasToken } from '../codec/fields.ts';
import type { Headers } from './headers.ts';

/** Whether a head asks to switch protocols, or says that it does. */
export function isUpgrade(headers: Headers): boolean {
  return headers.has('upgrade') && hasToken(headers.get('connection') ?? '', 'upgrade');
}
