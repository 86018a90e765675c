import { expect, test } from 'vitest';
import { messageSchema, enumSchema } from '../schema.ts';
import {
  ENGINES,
  KUBERNETES,
  KUBERNETES_ROOTS,
  MESSAGES,
  PLAIN_KINDS,
  WHOLE_KINDS,
  istioRoots,
  messageBelow,
  messagesOf,
  on,
  supportedBySome,
} from './index.ts';
import { KINDS } from '../kind-table.ts';

const roots = istioRoots().filter(([kind]) => {
  const whole = WHOLE_KINDS[kind];
  return whole === undefined || supportedBySome(whole);
});
const reached = new Set(roots.flatMap(([, message]) => messagesOf(message)));

test('every field that a kind leads to has a class', () => {
  const missing = [...reached].flatMap((message) =>
    Object.keys(messageSchema(message) ?? {})
      .filter((field) => MESSAGES[message]?.[field] === undefined)
      .map((field) => `${message}.${field}`),
  );
  expect(missing).toEqual([]);
});

test('the table speaks of nothing that is not there, or that no kind leads to', () => {
  const wrong = Object.entries(MESSAGES).flatMap(([message, fields]) => {
    const known = messageSchema(message);
    if (known === undefined) return [`${message} is not in the schema`];
    if (!reached.has(message) && !isBelowUnsupported(message)) return [`nothing leads to ${message}`];
    return Object.keys(fields)
      .filter((field) => !(field in known))
      .map((field) => `${message} has no field ${field}`);
  });
  expect(wrong).toEqual([]);
});

/** A message whose only way in is not supported may stay, for the day it is. */
function isBelowUnsupported(message: string): boolean {
  return Object.entries(MESSAGES).some(([from, fields]) =>
    Object.keys(fields).some((field) => messageBelow(from, field) === message),
  );
}

test('values that are treated differently are values of the field', () => {
  const wrong = Object.entries(MESSAGES).flatMap(([message, fields]) =>
    Object.entries(fields).flatMap(([field, support]) => {
      const values = enumSchema(messageSchema(message)?.[field]?.t ?? '') ?? { true: 1, false: 0 };
      return ENGINES.map((engine) => on(support, engine))
        .flatMap((outcome) => (outcome.state === 'supported' ? Object.keys(outcome.values ?? {}) : []))
        .filter((value) => !(value in values))
        .map((value) => `${message}.${field} has no value ${value}`);
    }),
  );
  expect(wrong).toEqual([]);
});

test('every kind that is read is in the table', () => {
  const known = new Set([
    ...istioRoots().map(([kind]) => kind),
    ...Object.keys(KUBERNETES_ROOTS),
    ...Object.keys(PLAIN_KINDS),
  ]);
  expect(Object.keys(KINDS).filter((kind) => !known.has(kind))).toEqual([]);
});

test('every shape of a Kubernetes object is there, and used', () => {
  const used = new Set(Object.values(KUBERNETES_ROOTS));
  for (const fields of Object.values(KUBERNETES)) for (const { of } of Object.values(fields)) if (of) used.add(of);
  expect([...used].toSorted()).toEqual(Object.keys(KUBERNETES).toSorted());
});

test('texts are parts of sentences', () => {
  const texts: string[] = [];
  const collect = (value: unknown, key?: string): void => {
    if (typeof value === 'string' && ['does', 'reason', 'detail', 'help'].includes(key ?? '')) texts.push(value);
    else if (typeof value === 'object' && value !== null)
      for (const [k, child] of Object.entries(value)) collect(child, k);
  };
  collect([MESSAGES, KUBERNETES, WHOLE_KINDS]);
  expect(texts.length).toBeGreaterThan(300);
  expect(texts.filter((text) => text.endsWith('.') || text.includes('|') || /[’—]/.test(text))).toEqual([]);
});
