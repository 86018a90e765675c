import { expect, test } from 'vitest';
import { exactFixed, generalDouble, shortestDouble } from './double-text.ts';

// As Envoy writes claims of a token: in its access log, and in a header made of an object.
test.each([
  [0, '0', '0'],
  [-0, '-0', '-0'],
  [10000, '10000', '10000'],
  [100000, '1e+05', '100000'],
  [120000, '120000', '120000'],
  [1e6, '1e+06', '1000000'],
  [1795980000, '1795980000', '1795980000'],
  [1e15, '1e+15', '1e+15'],
  [4.5e18, '4.5e+18', '4.5e+18'],
  [12345678901234567n, '12345678901234568', '12345678901234568'],
  [2 ** 63, '9223372036854775808', '9.2233720368547758e+18'],
  [1e21, '1e+21', '1e+21'],
  [1.5, '1.5', '1.5'],
  [0.001, '0.001', '0.001'],
  [0.0001, '1e-04', '0.0001'],
  [0.00012, '0.00012', '0.00012'],
  [1e-5, '1e-05', '1e-05'],
  [5e-324, '5e-324', '4.94065645841247e-324'],
  [1.7976931348623157e308, '1.7976931348623157e+308', '1.7976931348623157e+308'],
])('%s is written as %s, or as %s', (value, shortest, general) => {
  expect(shortestDouble(Number(value))).toBe(shortest);
  expect(generalDouble(Number(value))).toBe(general);
});

test('all digits of large numbers', () => {
  expect(exactFixed(1e21, 6)).toBe('1000000000000000000000.000000');
  expect(exactFixed(-100000, 6)).toBe('-100000.000000');
});
