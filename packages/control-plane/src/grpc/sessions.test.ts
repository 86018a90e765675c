import { TypeUrl } from '@mizzen/xds';
import { describe, expect, test } from 'vitest';
import type { VersionedResource } from '../xds/resource.ts';
import { IncrementalSession } from './incremental-session.ts';
import type { IncrementalRequest, WorldRequest } from './requests.ts';
import { WorldSession } from './world-session.ts';

const resource = (name: string, version = '1'): VersionedResource => ({
  name,
  version,
  resource: { name },
  json: '{}',
});
const names = (resources: readonly VersionedResource[]): string[] =>
  resources.map((each) => `${each.name}${each.version}`);

describe('the state of the world', () => {
  const ask = (session: WorldSession, typeUrl: string, part: Partial<WorldRequest>) =>
    session.request({ node: undefined, typeUrl, versionInfo: '', names: [], nonce: '', error: undefined, ...part });
  const send = (session: WorldSession, typeUrl: string, nonce: string, ...resources: VersionedResource[]) =>
    session.response({ typeUrl, nonce, resources, removed: [] });

  test('naming nothing means everything until something was named', () => {
    const session = new WorldSession();
    expect(ask(session, TypeUrl.cluster, {})).toMatchObject({ subscribe: ['*'] });
    send(session, TypeUrl.cluster, '1');
    expect(ask(session, TypeUrl.cluster, { names: ['*', 'a'], nonce: '1' })).toMatchObject({
      subscribe: ['a'],
      responseNonce: '1',
    });
    expect(ask(session, TypeUrl.cluster, { names: ['a'], nonce: '1' })).toMatchObject({ unsubscribe: ['*'] });
    expect(ask(session, TypeUrl.cluster, { nonce: '1' })).toMatchObject({ unsubscribe: ['a'] });
    expect(ask(session, TypeUrl.endpoint, {})).toEqual({ typeUrl: TypeUrl.endpoint });
  });

  test('a request that a response has overtaken is not answered; the answer to that response is', () => {
    const session = new WorldSession();
    ask(session, TypeUrl.endpoint, { names: ['a'] });
    expect(ask(session, TypeUrl.endpoint, { names: ['a', 'b'] })).toMatchObject({ subscribe: ['b'] });
    send(session, TypeUrl.endpoint, '1', resource('a'));
    send(session, TypeUrl.endpoint, '2', resource('b'));
    expect(ask(session, TypeUrl.endpoint, { names: ['b'], nonce: '' })).toBeUndefined();
    // Its verdict counts, its names do not.
    expect(ask(session, TypeUrl.endpoint, { names: ['a'], nonce: '1' })).toEqual({
      typeUrl: TypeUrl.endpoint,
      responseNonce: '1',
    });
    expect(ask(session, TypeUrl.endpoint, { names: ['b'], nonce: '1' })).toBeUndefined();
    expect(ask(session, TypeUrl.endpoint, { names: ['b', 'c'], nonce: '2' })).toEqual({
      typeUrl: TypeUrl.endpoint,
      subscribe: ['c'],
      unsubscribe: ['a'],
      responseNonce: '2',
    });
  });

  test('a late refusal counts, and what was refused with what it refuses is sent again', () => {
    const session = new WorldSession();
    ask(session, TypeUrl.cluster, {});
    send(session, TypeUrl.cluster, '1', resource('good'), resource('old'));
    ask(session, TypeUrl.cluster, { nonce: '1' });
    send(session, TypeUrl.cluster, '2', resource('bad'), resource('old', '2'));
    send(session, TypeUrl.cluster, '3', resource('new'));
    const error = 'Error adding/updating cluster(s) bad: no';
    expect(ask(session, TypeUrl.cluster, { nonce: '2', error })?.refusal?.resources).toMatchObject([
      { resource: 'bad' },
    ]);
    expect(ask(session, TypeUrl.cluster, { nonce: '3', error: 'no' })?.refusal).toEqual({
      message: 'no',
      resources: [],
      unjudged: ['new'],
    });
    const again = send(session, TypeUrl.cluster, '4', resource('new'));
    expect(names(again.resources)).toEqual(['good1', 'old2', 'new1']);
    // What an answer that came late took is the last good version of it.
    ask(session, TypeUrl.cluster, { nonce: '4', error: 'Error adding/updating cluster(s) new: no' });
    send(session, TypeUrl.cluster, '5', resource('old', '3'));
    ask(session, TypeUrl.cluster, { nonce: '5', error: 'Error adding/updating cluster(s) old: no' });
    expect(names(send(session, TypeUrl.cluster, '6').resources)).toEqual(['good1', 'old2']);
  });

  test('a name given up and asked for again is asked for anew', () => {
    const session = new WorldSession();
    ask(session, TypeUrl.route, { names: ['80'] });
    send(session, TypeUrl.route, '1', resource('80'));
    ask(session, TypeUrl.route, { nonce: '1' });
    expect(ask(session, TypeUrl.route, { names: ['80'], nonce: '1' })).toMatchObject({ subscribe: ['80'] });
  });

  test('clusters and listeners come whole, all others as far as they are new', () => {
    const session = new WorldSession();
    ask(session, TypeUrl.cluster, {});
    ask(session, TypeUrl.endpoint, { names: ['a', 'b'] });
    expect(names(send(session, TypeUrl.cluster, '1', resource('a'), resource('b')).resources)).toEqual(['a1', 'b1']);
    ask(session, TypeUrl.cluster, { nonce: '1' });
    expect(names(send(session, TypeUrl.cluster, '2', resource('b', '2')).resources)).toEqual(['a1', 'b2']);
    const gone = session.response({ typeUrl: TypeUrl.cluster, nonce: '3', resources: [], removed: ['a'] });
    expect(names(gone.resources)).toEqual(['b2']);
    expect(names(send(session, TypeUrl.endpoint, '4', resource('a')).resources)).toEqual(['a1']);
    expect(names(send(session, TypeUrl.endpoint, '5', resource('b')).resources)).toEqual(['b1']);
  });

  test('the same resources have the same version, whoever says it and when', () => {
    const [one, other] = [new WorldSession(), new WorldSession()];
    for (const session of [one, other]) ask(session, TypeUrl.cluster, {});
    send(one, TypeUrl.cluster, '1', resource('a'));
    const later = send(one, TypeUrl.cluster, '2', resource('b'));
    expect(later.versionInfo).toBe(send(other, TypeUrl.cluster, '9', resource('a'), resource('b')).versionInfo);
    expect(send(other, TypeUrl.cluster, '10', resource('b', '2')).versionInfo).not.toBe(later.versionInfo);
  });

  const refuse = (session: WorldSession, nonce: string, ...refused: string[]) =>
    ask(session, TypeUrl.cluster, {
      nonce,
      error: `Error adding/updating cluster(s) ${refused.map((name) => `${name}: bad`).join(', ')}`,
    });

  test('of a refused cluster the last good version goes with what comes later', () => {
    const session = new WorldSession();
    ask(session, TypeUrl.cluster, {});
    send(session, TypeUrl.cluster, '1', resource('a'), resource('b'));
    ask(session, TypeUrl.cluster, { nonce: '1' });
    send(session, TypeUrl.cluster, '2', resource('a', '2'), resource('c'));
    expect(refuse(session, '2', 'a', 'c')?.refusal?.resources?.map((each) => each.resource)).toEqual(['a', 'c']);
    expect(names(send(session, TypeUrl.cluster, '3', resource('b', '2')).resources)).toEqual(['a1', 'b2']);
    ask(session, TypeUrl.cluster, { nonce: '3' });
    expect(names(send(session, TypeUrl.cluster, '4', resource('a', '3')).resources)).toEqual(['a3', 'b2']);
  });

  test('a proxy that came with a version is told all names, for a good one may be left from before', () => {
    const session = new WorldSession();
    ask(session, TypeUrl.cluster, { versionInfo: 'earlier' });
    send(session, TypeUrl.cluster, '1', resource('a', '2'), resource('b'));
    refuse(session, '1', 'a');
    expect(names(send(session, TypeUrl.cluster, '2', resource('b', '2')).resources)).toEqual(['a2', 'b2']);
  });

  test('an Envoy is told of endpoints that are not there, for it waits for them', () => {
    const session = new WorldSession();
    ask(session, TypeUrl.endpoint, { names: ['a'] });
    const answer = session.response({ typeUrl: TypeUrl.endpoint, nonce: '1', resources: [], removed: ['a'] });
    expect(answer.resources.map((each) => each.resource)).toEqual([{ clusterName: 'a' }]);
  });
});

describe('the incremental protocol', () => {
  const ask = (session: IncrementalSession, typeUrl: string, part: Partial<IncrementalRequest>) => {
    const none = { node: undefined, subscribe: [], unsubscribe: [], initialVersions: {}, nonce: '', error: undefined };
    return session.request({ ...none, typeUrl, ...part });
  };

  test('naming nothing at first means everything', () => {
    const session = new IncrementalSession();
    const initialVersions = { a: '1' };
    expect(ask(session, TypeUrl.listener, { initialVersions })).toEqual({
      typeUrl: TypeUrl.listener,
      subscribe: ['*'],
      initialResourceVersions: initialVersions,
    });
    expect(ask(session, TypeUrl.listener, { unsubscribe: ['*'] })).toEqual({
      typeUrl: TypeUrl.listener,
      unsubscribe: ['*'],
    });
    expect(ask(session, TypeUrl.listener, {})).toEqual({ typeUrl: TypeUrl.listener });
    expect(ask(session, TypeUrl.route, {})).toEqual({ typeUrl: TypeUrl.route });
  });

  test('only the latest response can be refused', () => {
    const session = new IncrementalSession();
    ask(session, TypeUrl.cluster, {});
    session.response({ typeUrl: TypeUrl.cluster, nonce: '1', resources: [resource('a')], removed: [] });
    session.response({
      typeUrl: TypeUrl.cluster,
      nonce: '2',
      resources: [resource('a', '2'), resource('b')],
      removed: [],
    });
    expect(ask(session, TypeUrl.cluster, { nonce: '1', error: 'no' }).refusal).toBeUndefined();
    const error = 'Error adding/updating cluster(s) b: bad';
    expect(ask(session, TypeUrl.cluster, { nonce: '2', error }).refusal?.resources).toMatchObject([{ resource: 'b' }]);
    expect(ask(session, TypeUrl.cluster, { nonce: '2', error: 'no' }).refusal).toEqual({ message: 'no' });
  });
});
