import { mkdtempSync } from 'node:fs';
import { connect, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { ManualClock } from '../filter/testing/manual-clock.ts';
import { systemDeps } from '../process/deps.ts';
import { Binding } from './binding.ts';
import { Connections, type ActiveConnection } from './connections.ts';
import { serveDirect } from './direct.ts';
import { atOnce } from './drain.ts';

const closing: (() => unknown)[] = [];
afterEach(() => {
  for (const close of closing.splice(0)) close();
});

describe('connections of a filter chain that is drained', () => {
  const recorded = (connections: Connections): { connection: ActiveConnection; ended: string[] } => {
    const ended: string[] = [];
    const connection: ActiveConnection = {
      announceDrain: () => void ended.push('told'),
      drain: () => void ended.push('drained'),
      close: (why) => {
        ended.push(why ?? 'closed');
        connections.delete(connection);
      },
    };
    return { connection, ended };
  };

  test('are told, drained and ended', () => {
    const connections = new Connections();
    const clock = new ManualClock();
    const { connection, ended } = recorded(connections);
    connections.add(connection);
    let empty = false;
    connections.drain(atOnce, 100, 1000, clock, () => (empty = true));
    clock.advance(100);
    expect(ended).toEqual(['told', 'drained']);
    clock.advance(900);
    expect(ended).toEqual(['told', 'drained', 'filter_chain_is_being_removed']);
    expect(empty).toBe(true);
  });

  test('are ended as well when they come late, from a handshake that was under way', () => {
    const connections = new Connections();
    const clock = new ManualClock();
    let empty = false;
    connections.drain(atOnce, 100, 1000, clock, () => (empty = true));
    expect(empty).toBe(true);
    clock.advance(400);
    const { connection, ended } = recorded(connections);
    connections.add(connection);
    clock.advance(599);
    expect(ended).toEqual(['told']);
    clock.advance(1);
    expect(ended).toEqual(['told', 'filter_chain_is_being_removed']);
    const later = recorded(connections);
    connections.add(later.connection);
    clock.advance(1);
    expect(later.ended).toEqual(['told', 'filter_chain_is_being_removed']);
  });
});

test('a client that was told everything, and stays, is left', async () => {
  const clock = new ManualClock();
  const server: Server = createServer({ allowHalfOpen: true }, (socket) => {
    serveDirect(socket, Buffer.from('hello'), clock);
    socket.on('close', () => server.emit('left'));
  });
  closing.push(() => server.close());
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const left = new Promise((done) => server.once('left', done));
  const { port } = server.address() as { port: number };
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  closing.push(() => socket.destroy());
  await new Promise((done) => {
    socket.on('end', done);
    socket.resume();
  });
  await expect.poll(() => clock.waiting).toBe(1);
  clock.advance(1000);
  await left;
});

test('a socket in the file system that somebody left behind is taken over', async () => {
  const address = join(mkdtempSync(join(tmpdir(), 'mizzen-binding-')), 'in.sock');
  const { clock } = systemDeps();
  const bind = (): Promise<Binding> =>
    new Promise((done, fail) => {
      const binding: Binding = new Binding(
        { address, port: undefined, mode: 0, backlog: undefined },
        clock,
        (socket) => socket.end('hi'),
        () => done(binding),
        ({ message }) => fail(new Error(message)),
      );
      closing.push(() => binding.close());
    });
  await bind();
  await bind();
  const answer = await new Promise((done) => connect(address).on('data', (data) => done(data.toString())));
  expect(answer).toBe('hi');
});
