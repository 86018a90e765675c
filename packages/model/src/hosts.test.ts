import { describe, expect, it } from 'vitest';
import { hostsOverlap, intersectHosts, isSubsetOf, mostSpecific } from './hosts.ts';

describe('host names', () => {
  it.each([
    ['a.com', 'a.com', true],
    ['a.com', '*', true],
    ['x.a.com', '*.a.com', true],
    ['a.com', '*.a.com', false],
    ['*.x.a.com', '*.a.com', true],
    ['*.a.com', '*.x.a.com', false],
    ['*.a.com', 'x.a.com', false],
  ])('%s is within %s: %s', (host, pattern, within) => expect(isSubsetOf(host, pattern)).toBe(within));

  it.each([
    ['*.a.com', '*.x.a.com', true],
    ['*.x.a.com', '*.a.com', true],
    ['*.a.com', '*.b.com', false],
    ['x.a.com', '*.a.com', true],
  ])('%s overlaps %s: %s', (a, b, overlap) => expect(hostsOverlap(a, b)).toBe(overlap));

  it('have the more specific of two in common', () => {
    expect(intersectHosts('*.a.com', 'x.a.com')).toBe('x.a.com');
    expect(intersectHosts('x.a.com', '*')).toBe('x.a.com');
    expect(intersectHosts('a.com', 'b.com')).toBeUndefined();
  });

  it('belong to the closest pattern', () => {
    const patterns = new Map(['*', '*.com', '*.a.com', 'y.a.com'].map((pattern) => [pattern, pattern]));
    expect(mostSpecific('x.a.com', patterns)).toBe('*.a.com');
    expect(mostSpecific('y.a.com', patterns)).toBe('y.a.com');
    expect(mostSpecific('b.org', patterns)).toBe('*');
  });
});
