import { expect, test } from 'vitest';
import { systemDeps } from '../process/deps.ts';
import { numberOf } from './request-id.ts';

test('the first eight digits of a request id are its number, however they are written', () => {
  expect(numberOf('00000000')).toBe(0);
  expect(numberOf('0000000a-1')).toBe(10);
  expect(numberOf('89abcdef-0123-4567-89ab-cdef01234567')).toBe(0x89abcdef);
  expect(numberOf('89ABCDEF')).toBe(0x89abcdef);
  expect(numberOf('ffffffffg')).toBe(0xffffffff);
  for (const bad of [
    '',
    '0123456',
    'g1234567',
    '1234567g',
    '1234-678',
    '123/5678',
    '123:5678',
    '12345@78',
    '123`5678',
    '123\xe95678',
  ])
    expect(numberOf(bad), bad).toBeUndefined();
});

test('request ids are UUIDs of version 4, each another', () => {
  const { random } = systemDeps();
  const ids = new Set(Array.from({ length: 5000 }, () => random.uuid()));
  expect(ids.size).toBe(5000);
  const seen = Array.from({ length: 36 }, () => new Set<string>());
  for (const id of ids) {
    expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    for (let i = 0; i < id.length; i++) seen[i]!.add(id[i]!);
  }
  // Every digit that is not given takes all its values.
  expect(seen.map(({ size }) => size).filter((size) => size !== 1)).toEqual([
    ...Array<number>(15).fill(16),
    4,
    ...Array<number>(15).fill(16),
  ]);
  expect(seen.filter(({ size }) => size === 1)).toHaveLength(5);
});

test('random digits are as many as are asked for, each another, and all of the alphabet', () => {
  const { random } = systemDeps();
  const wide = new Set(Array.from({ length: 3000 }, () => random.hex(32)));
  const narrow = new Set(Array.from({ length: 3000 }, (_, i) => random.hex(17 + (i % 2)).slice(0, 16)));
  for (const [ids, digits] of [[wide, 32] as const, [narrow, 16] as const]) {
    expect(ids.size).toBe(3000);
    const seen = Array.from({ length: digits }, () => new Set<string>());
    for (const id of ids) {
      expect(id).toMatch(new RegExp(`^[0-9a-f]{${digits}}$`));
      for (let i = 0; i < digits; i++) seen[i]!.add(id[i]!);
    }
    for (const digit of seen) expect(digit.size).toBe(16);
  }
});
