import type { Operation } from '../shared/openapi.ts';

export const operations: readonly Operation[] = [
  {
    id: 'getPage',
    method: 'get',
    path: '/',
    summary: 'The page',
    answers: { 200: { description: 'HTML.', text: 'text/html' } },
  },
];
