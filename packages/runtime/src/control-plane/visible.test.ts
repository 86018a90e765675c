import { expect, test } from 'vitest';
import { visible } from './visible.ts';

test('what would drive a terminal is spelled out, and a second line is no line of ours', () => {
  expect(visible('fine: `ü`, 日本')).toBe('fine: `ü`, 日本');
  expect(visible('a\u001b[2Jb\u009bc\u007f\r\0')).toBe(String.raw`a\u001b[2Jb\u009bc\u007f\u000d\u0000`);
  expect(visible('gone\nready')).toBe('gone\n  ready');
});
