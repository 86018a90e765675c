/** A message under construction: its own fields may be set, what it holds may not be changed. */
export type Draft<T> = { -readonly [K in keyof T]: T[K] };

/** The message without its empty fields, or undefined when nothing is left. */
export function unlessEmpty<T extends object>(message: T): T | undefined {
  for (const key in message) if (message[key] !== undefined) return message;
  return undefined;
}
