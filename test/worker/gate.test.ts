import { describe, expect, it } from 'vitest';
import { Gate } from '../../worker/src/pipeline/gate.ts';

describe('the gate of long answers', () => {
  let now = 0;
  const make = () => new Gate({ all: 3, each: 2, idleMs: 100 }, () => now);

  it('bounds the answers of one party and of all', () => {
    const gate = make();
    const first = gate.enter('a');
    gate.enter('a');
    expect(() => gate.enter('a')).toThrow('unavailable');
    gate.enter('b');
    expect(() => gate.enter('c')).toThrow('unavailable');
    first.leave();
    gate.enter('c');
  });

  it('gives up whoever takes nothing: a reset connection is not announced', () => {
    now = 0;
    const gate = make();
    const [gone, alive] = [gate.enter('a'), gate.enter('a')];
    now = 90;
    alive.used();
    now = 150;
    gate.enter('a');
    expect(() => gone.used()).toThrow('unavailable');
    alive.used();
  });
});
