import type { HeaderEdit } from './verdict.ts';

const NAME = /^:?[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;

/** Names are tokens and values have no control characters. */
export function onlyValid(edits: readonly HeaderEdit[]): boolean {
  // oxlint-disable-next-line no-control-regex -- control characters are what this looks for
  return edits.every(({ name, value }) => NAME.test(name) && !/[\0\r\n]/.test(value));
}

/** Parameters that are to be set need no escapes. */
export function onlyValidQuery(parameters: readonly (readonly [string, string])[]): boolean {
  return parameters.every((parameter) => parameter.every((text) => /^[\w\-.*]*$/.test(text)));
}
