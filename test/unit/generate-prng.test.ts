import { describe, expect, it } from 'vitest';
import { Prng, weights } from '../../client/generate/prng.ts';

describe('Prng', () => {
  it('repeats itself for the same parts and differs for others', () => {
    const draw = (...parts: (string | number)[]) => {
      const random = new Prng(...parts);
      return Array.from({ length: 50 }, () => random.u32());
    };
    expect(draw('a', 1)).toEqual(draw('a', 1));
    expect(draw('a', 1)).not.toEqual(draw('a', 2));
    expect(draw('ab', 'c')).not.toEqual(draw('a', 'bc'));
  });

  it('spreads evenly', () => {
    const random = new Prng('even');
    const counts = tally(100_000, () => random.int(10));
    expect(counts.size).toBe(10);
    for (const count of counts.values()) expect(Math.abs(count - 10_000)).toBeLessThan(500);
  });

  it('keeps to its bounds, above 32 bits too', () => {
    const random = new Prng('bounds');
    for (let n = 0; n < 2_000; n++) {
      expect(random.int(3)).toBeLessThan(3);
      const wide = random.int(10 ** 15);
      expect(Number.isSafeInteger(wide) && wide >= 0 && wide < 10 ** 15).toBe(true);
      expect(random.digits(15)).toMatch(/^\d{15}$/);
      const between = random.between(5, 7);
      expect(between >= 5 && between <= 7).toBe(true);
      expect(random.rank(1)).toBe(0);
      expect(random.rank(100)).toBeLessThan(100);
      expect(random.hex(2)).toMatch(/^[0-9a-f]{16}$/);
    }
  });

  it('draws by weight', () => {
    const random = new Prng('weights');
    const table = weights([
      ['common', 9],
      ['rare', 1],
      ['never', 0],
    ]);
    const counts = tally(10_000, () => random.weighted(table));
    expect(counts.get('never')).toBeUndefined();
    expect(Math.abs((counts.get('rare') ?? 0) - 1_000)).toBeLessThan(120);
  });

  it('makes low ranks the most frequent', () => {
    const random = new Prng('ranks');
    const counts = tally(50_000, () => random.rank(1_000));
    expect(counts.get(0)).toBeGreaterThan(4 * (counts.get(9) ?? 0));
    expect([...counts.keys()].some((rank) => rank >= 900)).toBe(true);
  });
});

/** How often each value is drawn. */
function tally<T>(times: number, draw: () => T): Map<T, number> {
  const counts = new Map<T, number>();
  for (let n = 0; n < times; n++) {
    const value = draw();
    counts.set(value, (counts.get(value) ?? 0) + 1);
  }
  return counts;
}
