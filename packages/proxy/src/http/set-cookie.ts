import type { types } from '@mizzen/xds';
import { wire } from '../program/values.ts';

/** What a cookie that is set is like, but for its value. */
export interface CookieShape {
  readonly name?: string;
  readonly path?: string;
  readonly attributes?: readonly types.route.RouteAction_HashPolicy_CookieAttribute[];
}

/** Makes the value of a `set-cookie` field; `age` in seconds, 0: for as long as the browser runs. */
export function cookieSetter(
  { name = '', path = '', attributes = [] }: CookieShape,
  age: number,
): (value: string) => string {
  const more = attributes.map(({ name: n = '', value = '' }) =>
    value === '' ? `; ${wire(n)}` : `; ${wire(n)}=${wire(value)}`,
  );
  const maxAge = age === 0 ? '' : `; Max-Age=${age}`;
  const at = path === '' ? '' : `; Path=${wire(path)}`;
  const start = `${wire(name)}="`;
  const end = `"${maxAge}${at}${more.join('')}; HttpOnly`;
  return (value) => start + value + end;
}
