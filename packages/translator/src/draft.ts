/** A message under construction: its own fields may be set, what it holds may not be changed. */
export type Draft<T> = { -readonly [K in keyof T]: T[K] };
