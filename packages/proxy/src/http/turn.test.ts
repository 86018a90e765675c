import { setImmediate as round } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { enter, entered, flushLater, leave, logLater, settle, settleLogs, turnNow } from './turn.ts';

/** Tells what was done in which order. */
function diary(): {
  readonly done: string[];
  readonly output: (name: string) => { readonly flush: () => void };
  readonly log: (name: string) => { readonly log: () => void };
} {
  const done: string[] = [];
  return {
    done,
    output: (name) => ({ flush: () => void done.push(`flush ${name}`) }),
    log: (name) => ({ log: () => void done.push(`log ${name}`) }),
  };
}

describe('turns of the event loop', () => {
  // Whatever ran before in this process, its rounds are of many turns now.
  beforeEach(async () => {
    for (let i = 0; i < 60; i++) {
      for (let turn = 0; turn < 20; turn++) entered(() => flushLater({ flush: () => undefined }));
      await round();
    }
  });
  afterEach(() => settle());

  it('wait with what they write and log until the round of reads is over, writes first', async () => {
    const { done, output, log } = diary();
    for (const name of ['a', 'b']) {
      entered(() => {
        logLater(log(name));
        flushLater(output(name));
      });
      done.push(`left ${name}`);
    }
    await round();
    expect(done).toEqual(['left a', 'left b', 'flush a', 'flush b', 'log a', 'log b']);
    await round();
    expect(done).toHaveLength(6);
  });

  it('do not wait outside of any', () => {
    const { done, output, log } = diary();
    flushLater(output('a'));
    logLater(log('a'));
    expect(done).toEqual(['flush a', 'log a']);
  });

  it('do not wait for the end of the round once much has come together', () => {
    const { done, output, log } = diary();
    for (let i = 0; i < 32; i++) {
      expect(done).toEqual([]);
      entered(() => {
        flushLater(output(String(i)));
        logLater(log(String(i)));
      });
    }
    const each = Array.from({ length: 32 }, (_, i) => i);
    expect(done).toEqual([...each.map((i) => `flush ${i}`), ...each.map((i) => `log ${i}`)]);
  });

  it('settle only with the outermost', async () => {
    const { done, output } = diary();
    enter();
    for (let i = 0; i < 40; i++) entered(() => flushLater(output('inner')));
    expect(done).toEqual([]);
    leave();
    expect(done).toHaveLength(40);
    await round();
    expect(done).toHaveLength(40);
  });

  it('write what logging gives them to write in a round of its own', async () => {
    const { done, output } = diary();
    entered(() => logLater({ log: () => entered(() => flushLater(output('export'))) }));
    await round();
    expect(done).toEqual([]);
    await round();
    expect(done).toEqual(['flush export']);
  });

  it('forget nothing when one throws', () => {
    const { done, output, log } = diary();
    const fail = (): never => {
      throw new Error('no');
    };
    entered(() => {
      flushLater(output('a'));
      flushLater({ flush: fail });
      flushLater(output('b'));
      logLater(log('c'));
      logLater({ log: fail });
      logLater(log('d'));
    });
    expect(settle).toThrow('no');
    expect(done).toEqual(['flush a']);
    expect(settle).toThrow('no');
    expect(done).toEqual(['flush a', 'flush b', 'log c']);
    settle();
    expect(done).toEqual(['flush a', 'flush b', 'log c', 'log d']);
  });

  it('wait no more where rounds are of one turn, and again where they are of several', async () => {
    const { done, output, log } = diary();
    const turn = (name: string): void =>
      entered(() => {
        logLater(log(name));
        flushLater(output(name));
      });
    const waits = async (perRound: number): Promise<boolean> => {
      done.length = 0;
      turn('first');
      const waited = done.length === 0;
      for (let i = 1; i < perRound; i++) turn('other');
      await round();
      expect(done).toHaveLength(2 * perRound);
      return waited;
    };
    for (let i = 0; i < 50; i++) await waits(1);
    expect(await waits(1)).toBe(false);
    for (let i = 0; i < 50; i++) await waits(20);
    expect(await waits(20)).toBe(true);
    for (let i = 0; i < 50; i++) await waits(2);
    expect(await waits(1)).toBe(false);
    done.length = 0;
    turn('alone');
    expect(done).toEqual(['flush alone', 'log alone']);
    for (let i = 0; i < 50; i++) await waits(20);
  });

  it('log each once, whatever logging one of them sets off', async () => {
    const { done, log } = diary();
    entered(() => {
      logLater(log('a'));
      logLater({
        log: () => {
          settleLogs();
          logLater(log('d'));
          done.push('log b');
        },
      });
      logLater(log('c'));
    });
    await round();
    expect(done).toEqual(['log a', 'log b', 'log c', 'log d']);
  });

  it('go on when one throws as they are left', async () => {
    const { done, output } = diary();
    const fail = (): never => {
      throw new Error('no');
    };
    expect(() =>
      entered(() => {
        flushLater({ flush: fail });
        for (let i = 0; i < 40; i++) flushLater(output('other'));
      }),
    ).toThrow('no');
    await round();
    expect(done).toHaveLength(40);
    flushLater(output('outside'));
    expect(done).toHaveLength(41);
  });

  it('log before what must not come later', async () => {
    const { done, log } = diary();
    entered(() => {
      logLater(log('a'));
      settleLogs();
      done.push('broken off');
    });
    await round();
    expect(done).toEqual(['log a', 'broken off']);
  });

  it('happen at one time', () => {
    let now = 0;
    const clock = { now: () => ++now, wall: () => 0, after: () => ({ cancel: () => undefined }) };
    entered(() => expect([turnNow(clock), turnNow(clock)]).toEqual([1, 1]));
    entered(() => expect(turnNow(clock)).toBe(2));
    expect(turnNow(clock)).toBe(3);
  });
});
