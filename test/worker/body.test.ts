import { describe, expect, it } from 'vitest';
import { FormatError, varint } from '../../wire/bytes.ts';
import { frameChunk, MAX_SEALED_CHUNK_BYTES } from '../../wire/envelope.ts';
import { BodyReader, readBody } from '../../worker/src/pipeline/body.ts';

/** A body that comes in pieces of `size` octets. */
function pieces(bytes: Uint8Array, size: number): ReadableStream<Uint8Array> {
  let at = 0;
  return new ReadableStream({
    pull(out) {
      if (at >= bytes.length) return out.close();
      out.enqueue(bytes.slice(at, at + size));
      at += size;
    },
  });
}

function silent(first: Uint8Array): ReadableStream<Uint8Array> {
  return new ReadableStream({ start: (out) => out.enqueue(first) });
}

function counting(length: number, from = 0): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => (i + from) & 0xff);
}

const LIMIT = 1_000_000;

describe('chunks of a stream', () => {
  const chunks = [counting(16), counting(63, 7), counting(64), counting(MAX_SEALED_CHUNK_BYTES, 3)];
  const last = counting(100, 9);
  const body = new Uint8Array(
    [...chunks.map((chunk) => frameChunk(chunk, false)), frameChunk(last, true)].flatMap((b) => [
      ...b,
    ]),
  );

  it.each([1, 7, 64, 4096, 1_000_000])('are the same in pieces of %i octets', async (size) => {
    const reader = new BodyReader(pieces(body, size), LIMIT, 1000);
    for (const chunk of chunks) {
      expect(await reader.chunk()).toEqual({ sealed: chunk, final: false });
    }
    expect(await reader.chunk()).toEqual({ sealed: last, final: true });
  });

  it.each([
    ['an end before the length', new Uint8Array()],
    ['an end inside the length', Uint8Array.of(0x40)],
    ['an end inside the chunk', varint(20)],
    ['a length that is not in its shortest form', Uint8Array.of(0x40, 0x14, ...counting(20))],
    ['a length that no number can hold', new Uint8Array(8).fill(0xff)],
    ['a chunk shorter than its tag', frameChunk(counting(15), false)],
    ['a final chunk shorter than its tag', frameChunk(counting(15), true)],
  ])('refuses %s', async (_name, bytes) => {
    const reader = new BodyReader(pieces(bytes, 1000), LIMIT, 1000);
    await expect(reader.chunk()).rejects.toThrow(FormatError);
  });

  it.each([
    ['a chunk over the limit', varint(MAX_SEALED_CHUNK_BYTES + 1)],
    ['a final chunk over the limit', frameChunk(counting(MAX_SEALED_CHUNK_BYTES + 1), true)],
  ])('refuses %s as too large', async (_name, bytes) => {
    const reader = new BodyReader(pieces(bytes, 1000), LIMIT, 1000);
    await expect(reader.chunk()).rejects.toMatchObject({ code: 'too_large' });
  });

  it('gives up on a sender that falls silent', async () => {
    const reader = new BodyReader(silent(varint(20)), LIMIT, 20);
    await expect(reader.chunk()).rejects.toThrow(FormatError);
  });

  it('gives up on a sender who trickles, however short its pauses', async () => {
    const trickle = () =>
      new ReadableStream<Uint8Array>({
        async pull(out) {
          await new Promise((resolve) => setTimeout(resolve, 10));
          out.enqueue(Uint8Array.of(20));
        },
      });
    const reader = new BodyReader(trickle(), LIMIT, 50);
    await expect(reader.chunk()).rejects.toThrow(FormatError);
    const dropped = new BodyReader(trickle(), LIMIT, 50);
    await expect(dropped.drain()).rejects.toThrow(FormatError);
  });

  it('reads on after an error, up to the limit of the whole body', async () => {
    const reader = new BodyReader(pieces(counting(5000), 100), 5000, 1000);
    await reader.exactly(50);
    await reader.drain();
    await expect(reader.exactly(1)).rejects.toThrow(FormatError);

    const long = new BodyReader(pieces(counting(5001), 100), 5000, 1000);
    await expect(long.drain()).rejects.toMatchObject({ code: 'too_large' });
  });
});

describe('whole bodies', () => {
  const read = (stream: ReadableStream<Uint8Array> | null, limit: number) =>
    readBody(stream, limit, 50);

  it('are read up to the limit', async () => {
    expect(await read(pieces(counting(1000), 300), 1000)).toEqual(counting(1000));
    expect(await read(null, 1000)).toEqual(new Uint8Array());
  });

  it('are given up one piece past the limit', async () => {
    let taken = 0;
    const endless = new ReadableStream<Uint8Array>({
      pull(out) {
        taken++;
        out.enqueue(counting(100));
      },
    });
    await expect(read(endless, 1000)).rejects.toMatchObject({ code: 'too_large' });
    expect(taken).toBeLessThanOrEqual(12);
  });

  it('come in pieces of one octet too', async () => {
    const bytes = counting(65_536);
    expect(await readBody(pieces(bytes, 1), bytes.length, 30_000)).toEqual(bytes);
  });

  it('must come in time', async () => {
    await expect(read(silent(counting(1)), 1000)).rejects.toMatchObject({
      code: 'malformed_request',
    });
  });
});
