import type { Random } from './random.ts';

/** What is fed to a target: named texts (files; bytes are in base64). */
export type Input = Readonly<Record<string, string>>;

export interface Target {
  /** An input that depends on nothing but `random`. */
  make(random: Random): Input;
  /** Throws, or rejects, when something is wrong with what was fed in: anything that the code under test must not do. */
  run(input: Input): void | Promise<void>;
  /** Inputs with less in them, to look for the smallest that fails; larger steps first. */
  smaller(input: Input): Iterable<Input>;
  /** Ends what the target has started. */
  stop?(): Promise<void>;
}

/** Texts with some lines or characters fewer. */
export function* shorter(text: string): Iterable<string> {
  for (const separator of ['\n', '']) {
    const parts = text.split(separator);
    if (separator === '' && parts.length > 2000) return;
    for (let size = parts.length >> 1; size >= 1; size >>= 1) {
      for (let at = 0; at < parts.length; at += size) {
        yield [...parts.slice(0, at), ...parts.slice(at + size)].join(separator);
      }
    }
  }
}

/** Inputs with one part fewer, or one part shorter. */
export function* withLess(input: Input): Iterable<Input> {
  const names = Object.keys(input);
  if (names.length > 1) {
    for (const name of names) yield Object.fromEntries(Object.entries(input).filter(([each]) => each !== name));
  }
  for (const name of names) {
    for (const text of shorter(input[name]!)) yield { ...input, [name]: text };
  }
}
