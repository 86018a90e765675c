const DECIMAL = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i;
const HEXADECIMAL = /^([+-]?)0x([\da-f]*)(?:\.([\da-f]*))?(?:p([+-]?\d+))?$/i;

/** A number as C writes them, with blanks around it; undefined: it is none. */
export function readNumber(text: string): number | undefined {
  const word = text.trim();
  if (DECIMAL.test(word)) return Number(word);
  const hexadecimal = HEXADECIMAL.exec(word);
  if (hexadecimal !== null) {
    const [, sign, whole = '', part = '', exponent = '0'] = hexadecimal;
    if (whole === '' && part === '') return undefined;
    const digits = Number.parseInt(whole + part, 16);
    return (sign === '-' ? -1 : 1) * digits * 2 ** (Number(exponent) - 4 * part.length);
  }
  const special = /^([+-]?)(?:(inf(?:inity)?)|nan(?:\(\w*\))?)$/i.exec(word);
  if (special === null) return undefined;
  if (special[2] === undefined) return Number.NaN;
  return special[1] === '-' ? -Infinity : Infinity;
}
