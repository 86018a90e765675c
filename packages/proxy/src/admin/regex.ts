import { RE2JS } from 're2js';

/** A pattern of RE2, or what is wrong with it, in the words of RE2 itself. */
export function adminRegex(pattern: string): RE2JS | string {
  try {
    return RE2JS.compile(pattern);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    return message
      .replace(/^error parsing regexp: /, '')
      .replace('missing closing', 'missing')
      .replaceAll('`', '');
  }
}
