/** Characters that mean something to a shell beyond separating words. */
const SHELL = /[|&;<>()$`\\"'*?[\]#~={}!\n]/;

/**
 * A command text as the words of a program's arguments; undefined when it takes a shell to read it. Without a shell in
 * between, signals reach the program itself and its environment is passed on as it is.
 */
export function plainWords(text: string): string[] | undefined {
  if (process.platform === 'win32' || SHELL.test(text)) return undefined;
  const words = text.trim().split(/[ \t]+/);
  return words[0] === '' ? undefined : words;
}
