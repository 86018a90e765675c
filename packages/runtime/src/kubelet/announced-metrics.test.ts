import { expect, test } from 'vitest';
import { announcedMetrics } from './announced-metrics.ts';

const yes = (port: number, path = '/metrics') => ({ port, path, asked: true });

test.each([
  [{ 'prometheus.io/scrape': 'true' }, yes(80)],
  [{ 'prometheus.io/scrape': 'true', 'prometheus.io/port': '3000', 'prometheus.io/path': '/m' }, yes(3000, '/m')],
  // Other spellings that are the same label to Prometheus.
  [{ 'prometheus.io.scrape': 'true', prometheus_io_port: '3000' }, yes(3000)],
  // A port is enough for what Istio merges.
  [{ 'prometheus.io/port': '3000' }, { ...yes(3000), asked: false }],
  [{ 'prometheus.io/path': '/m' }, { ...yes(80, '/m'), asked: false }],
  [
    { 'prometheus.io/scrape': 'True', 'prometheus.io/port': '3000' },
    { ...yes(3000), asked: false },
  ],
  [
    { 'prometheus.io/scrape': 'maybe', 'prometheus.io/port': '3000' },
    { ...yes(3000), asked: false },
  ],
])('%o announces metrics', (annotations, announced) => {
  expect(announcedMetrics(annotations as Record<string, string>)).toEqual(announced);
});

test.each([
  {},
  { 'prometheus.io/schema': 'https' },
  { 'prometheus.io/scrape': 'false', 'prometheus.io/port': '3000' },
  { 'prometheus.io/scrape': 'False', 'prometheus.io/port': '3000' },
  { 'prometheus.io/scrape': 'true', 'prometheus.io/port': '15020' },
  { 'prometheus.io/scrape': 'true', 'prometheus.io/port': 'http' },
])('%o announces none', (annotations) => {
  expect(announcedMetrics(annotations as Record<string, string>)).toBeUndefined();
});
