import type { CompileDeps } from '../types.ts';

/** Test support: time stands still and the dice always show the middle. */
export const testDeps: CompileDeps = {
  clock: { now: () => 0, wall: () => 1_700_000_000_000, after: () => ({ cancel: () => undefined }) },
  random: {
    float: () => 0.5,
    uint32: () => 0x80000000,
    uuid: () => '00000000-0000-4000-8000-000000000000',
    hex: (digits) => '8'.repeat(digits),
  },
  fetch: () => Promise.reject(new Error('nothing is fetched in tests')),
  calls: {
    http: () => {
      throw new Error('nothing is called in tests');
    },
    grpc: () => {
      throw new Error('nothing is called in tests');
    },
    logs: () => () => {
      throw new Error('nothing is sent in tests');
    },
  },
  counter: () => ({ value: 0 }),
  readFile: () => {
    throw new Error('no files');
  },
  env: () => undefined,
};
