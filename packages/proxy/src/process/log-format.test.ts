import { expect, test } from 'vitest';
import { compileFormat } from './log-format.ts';

const line = {
  time: new Date(2026, 1, 3, 16, 5, 6, 7),
  level: 'info',
  component: 'main',
  message: 'a\nb',
  elapsed: 12,
} as const;
const written = (format: string): string =>
  compileFormat(format)
    .map((piece) => piece(line))
    .join('');

test.each([
  ['[%Y-%m-%d %T.%e][%l][%n] [%g:%#] %v', '[2026-02-03 16:05:06.007][info][main] [:] a\nb'],
  ['%_', 'a\\nb'],
  ['{"m":"%j"}', '{"m":"a\\nb"}'],
  ['%8l|%-8l|%=8l|%2l|%2!l|', '    info|info    |  info  |info|in|'],
  ['%L %I %p %r %R %D %C %b %a', 'I 04 PM 04:05:06 PM 16:05 02/03/26 26 Feb Tue'],
  ['%f %F %i %u', '007000 007000000 12 12000000'],
  ['100%% %q %', '100% %q %'],
  ['%^%s%@%$', ''],
])('%s', (format, expected) => expect(written(format)).toBe(expected));
