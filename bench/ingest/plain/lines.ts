/** A body as lines of text, some hundred at a time. */

/** Yields up to `count` lines at a time; the last group may be smaller. */
export async function* lineGroups(
  body: ReadableStream<Uint8Array>,
  count: number,
): AsyncGenerator<string[]> {
  let rest = '';
  let lines: string[] = [];
  for await (const text of body.pipeThrough(new TextDecoderStream())) {
    const parts = (rest + text).split('\n');
    rest = parts.pop() ?? '';
    for (const line of parts) {
      if (line === '') continue;
      lines.push(line);
      if (lines.length === count) {
        yield lines;
        lines = [];
      }
    }
  }
  if (rest !== '') lines.push(rest);
  if (lines.length > 0) yield lines;
}
