import { expect, test } from 'vitest';
import { toOpenMetrics, wantsOpenMetrics } from './open-metrics.ts';

test('text becomes OpenMetrics, sample for sample', () => {
  const text = [
    '# a remark',
    '',
    '# HELP a_total What is counted.',
    '# TYPE a_total counter',
    'a_total{x="1, }\\" 2",y=""} 5',
    '# TYPE b counter',
    'b 1 1700000000500',
    '# TYPE c untyped',
    'c NaN',
    '# TYPE d_total gauge',
    'd_total 3',
    '# TYPE e histogram',
    'e_bucket{le="5"} 1 # {trace_id="ab"} 3 1700000000.5',
    'e_bucket{le="+Inf"} 2',
    'f_without_type{} 1',
    '',
  ].join('\n');
  expect(toOpenMetrics(text)).toBe(
    [
      '# HELP a What is counted.',
      '# TYPE a counter',
      'a_total{x="1, }\\" 2",y=""} 5',
      '# TYPE b unknown',
      'b 1 1700000000.5',
      '# TYPE c unknown',
      'c NaN',
      '# TYPE d_total gauge',
      'd_total 3',
      '# TYPE e histogram',
      'e_bucket{le="5"} 1 # {trace_id="ab"} 3 1700000000.5',
      'e_bucket{le="+Inf"} 2',
      'f_without_type{} 1',
      '',
    ].join('\n'),
  );
});

test.each(['a{x="1",} 2', 'a{ x="1"} 2', 'a', '<html>', 'a{x=1} 2', 'a 1 2 3'])('`%s` is left as text', (line) => {
  expect(toOpenMetrics(`ok 1\n${line}\n`)).toBeUndefined();
});

test.each([
  ['application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5,*/*;q=0.1', true],
  ['application/openmetrics-text', true],
  ['text/plain, application/openmetrics-text; version=1.0.0; q=0.75', true],
  ['application/openmetrics-text;version=1.0.0;q=0,text/plain', false],
  ['text/plain;version=0.0.4', false],
  ['*/*', false],
  [undefined, false],
])('who accepts %s gets OpenMetrics: %s', (accept, wanted) => {
  expect(wantsOpenMetrics(accept)).toBe(wanted);
});
