/** Frames of a pull or a lookup, up to the signed end that proves that nothing is missing. */
import { sha256 } from '@noble/hashes/sha2.js';
import { equalBytes, FormatError } from '../wire/bytes.ts';
import {
  endSigningInput,
  FRAME,
  FRAME_HEAD_BYTES,
  type PullEnd,
  parseEnd,
  parseFrameHead,
} from '../wire/pull.ts';
import { BodyReader } from './body-reader.ts';
import { newSha256 } from './digest.ts';
import { type EdgeClient, readBody } from './edge.ts';
import { EdgeError, type IncompleteCode, IncompletePull } from './errors.ts';
import { edgeSigningKey, verifyEd25519 } from './recipients.ts';

export interface Answer {
  response: Response;
  /** Of the request: the end must name it. */
  signature: Uint8Array;
}

/** A signed end, as others are told of it. */
export interface AnswerEnd {
  /** SHA-256 of all frames before it, hexadecimal. */
  digest: string;
  rows: number;
  more: boolean;
}

/**
 * Reads an answer frame by frame.
 * @param view the view that was asked for (wire/parcel.ts)
 * @param onFrame gets each frame before the end; its result is awaited. What it is given is not proven yet.
 * @returns the end, verified: signed by this city's edge for this very request over these very frames.
 * The caller checks its rows and cursors.
 * @throws IncompletePull
 */
export async function readFrames(
  edge: EdgeClient,
  { response, signature }: Answer,
  view: number,
  onFrame: (type: number, body: Uint8Array) => void | Promise<void>,
): Promise<PullEnd> {
  const body = new BodyReader(readBody(response));
  const digest = newSha256();
  try {
    while (true) {
      const head = await body.read(FRAME_HEAD_BYTES);
      if (head === undefined) incomplete((await body.atEnd()) ? 'no_end' : 'broken');
      const { type, length } = parseFrameHead(head);
      const content = await body.read(length);
      if (content === undefined) incomplete('broken');
      if (type === FRAME.END) {
        if (!(await body.atEnd())) incomplete('after_end');
        return await verifyEnd(edge, content, { signature, view, digest: digest.digest() });
      }
      digest.update(head).update(content);
      const handled = onFrame(type, content);
      if (handled) await handled;
    }
  } catch (error) {
    if (error instanceof FormatError) throw new IncompletePull('bad_frame', error);
    if (error instanceof EdgeError && error.code === 'unreachable') {
      throw new IncompletePull('broken', error);
    }
    throw error;
  } finally {
    await body.close();
  }
}

async function verifyEnd(
  edge: EdgeClient,
  content: Uint8Array,
  expected: { signature: Uint8Array; view: number; digest: Uint8Array },
): Promise<PullEnd> {
  const { end, body, signer, signature } = parseEnd(content);
  const { list } = await edge.recipients();
  const key = edgeSigningKey(list, signer, edge.city, edge.now());
  if (key === undefined) incomplete('end_signer');
  if (!verifyEd25519(signature, endSigningInput(body), key)) incomplete('end_signature');
  const ours =
    equalBytes(end.request, sha256(expected.signature)) &&
    end.city === edge.city &&
    end.view === expected.view;
  if (!ours) incomplete('end_other_request');
  if (!equalBytes(end.digest, expected.digest)) incomplete('end_mismatch');
  return end;
}

export function incomplete(code: IncompleteCode): never {
  throw new IncompletePull(code);
}
