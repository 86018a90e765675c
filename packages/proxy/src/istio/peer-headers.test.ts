import { expect, test } from 'vitest';
import { Headers } from '../http/headers.ts';
import { peerOf, toMetadata } from './peer.ts';
import { PEER_ID, PEER_METADATA, PeerReader, takePeer } from './peer-headers.ts';
import { encodeStruct } from './struct.ts';

const says = (name: string): string =>
  encodeStruct(toMetadata(peerOf({ NAME: name, WORKLOAD_NAME: name }))).toString('base64');

test('a peer is decoded once, and again when it says something else', () => {
  const reader = new PeerReader([]);
  const first = reader.read('a', says('a-1'));
  expect(first?.is.name).toBe('a-1');
  expect(reader.read('a', says('a-1'))).toBe(first);
  expect(reader.read('b', says('b-1'))?.is.name).toBe('b-1');
  expect(reader.read('a', says('a-1'))).toBe(first);
  expect(reader.read('a', says('a-2'))?.is.name).toBe('a-2');
  expect(reader.read('a', says('a-1'))?.is.name).toBe('a-1');
  expect(reader.read('a', Buffer.from([0xff]).toString('base64'))).toBeUndefined();
  const nameless = reader.read(undefined, says('c-1'));
  expect(nameless?.is.name).toBe('c-1');
  expect(reader.read('', says('c-1'))).toBe(nameless);
});

test('what a peer says is taken off a head, all of it', () => {
  const headers = new Headers(['a', '1', PEER_METADATA, 'm', PEER_ID, 'i', PEER_METADATA, 'n', 'b', '2']);
  expect(takePeer(headers)).toEqual(['i', 'm']);
  expect(headers.flat).toEqual(['a', '1', 'b', '2']);
  expect(takePeer(headers)).toBeUndefined();
  const only = new Headers([PEER_ID, '']);
  expect(takePeer(only)).toEqual(['', undefined]);
  expect(only.flat).toEqual([]);
});
