/**
 * What clients say is not to drive the terminal that it is printed on, nor to look like another line: control characters
 * are spelled out, and lines after the first are indented.
 */
export function visible(text: string): string {
  return text
    .replace(/[^\P{Cc}\n]/gu, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`)
    .replaceAll('\n', '\n  ');
}
