import * as v from 'valibot';
import type { Operation } from './openapi.ts';

const about = { service: v.string(), version: v.string(), variant: v.optional(v.string()) };
const Health = v.strictObject({
  status: v.picklist(['ok', 'degraded', 'unavailable']),
  ...about,
  dependencies: v.record(
    v.string(),
    v.strictObject({
      status: v.picklist(['up', 'down']),
      required: v.boolean(),
      error: v.optional(v.string()),
    }),
  ),
});

/** What every service of the store answers to. */
export const commonOperations: readonly Operation[] = [
  {
    id: 'getHealth',
    method: 'get',
    path: '/health',
    summary: 'How it is, and how what it works with is',
    answers: {
      200: { description: 'It works, perhaps without what it can do without (degraded).', schema: Health },
      503: { description: 'Something that it needs does not answer.', schema: Health },
    },
  },
  {
    id: 'isLive',
    method: 'get',
    path: '/health/live',
    summary: 'Whether the process lives',
    answers: { 200: { description: 'It does.', schema: v.strictObject({ status: v.literal('ok'), ...about }) } },
  },
  {
    id: 'isReady',
    method: 'get',
    path: '/health/ready',
    summary: 'Whether it takes requests',
    answers: { 200: { description: 'It does.', schema: v.strictObject({ status: v.literal('ready') }) } },
    problems: { 503: 'Something that it needs does not answer, or it is stopping.' },
  },
  {
    id: 'getMetrics',
    method: 'get',
    path: '/metrics',
    summary: 'What it counted, in the format of Prometheus',
    answers: { 200: { description: 'Counters and histograms.', text: 'text/plain' } },
  },
  {
    id: 'getDescription',
    method: 'get',
    path: '/openapi.json',
    summary: 'This document',
    answers: { 200: { description: 'An OpenAPI 3.1 document.', schema: v.looseObject({ openapi: v.string() }) } },
  },
];
