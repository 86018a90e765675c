/**
 * Base64url as Envoy takes it in tokens and keys: blanks do not count, padding may be there in full or not at all, and what is
 * left over of the last character may be anything. Undefined when it is not.
 */
export function base64url(given: string): Buffer | undefined {
  const whole = given.replaceAll(/[ \t\n\v\f\r]+/g, '');
  const text = whole.length % 4 === 0 ? whole.replace(/[=.]{1,2}$/, '') : whole;
  if (text.length % 4 === 1 || !/^[A-Za-z0-9_-]*$/.test(text)) return undefined;
  return Buffer.from(text, 'base64url');
}
