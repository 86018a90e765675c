export { STDIN_NAME, discover, isMeshFile, isWithin, statOf, tidy } from './discover.ts';
export { AS_ISTIOD, readFiles } from './read.ts';
export type { ReadOptions } from './read.ts';
export type { ReadResult } from './ledger.ts';
export { watchFiles } from './watch.ts';
export type { WatchOptions, Watching } from './watch.ts';
