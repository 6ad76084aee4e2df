import { FormatError } from '../../../wire/bytes.ts';
import { STREAM } from '../../../wire/envelope.ts';
import { MAX_STREAM_BYTES } from '../../../wire/limits.ts';
import { authenticate, checkEncapsulation, standing } from '../auth.ts';
import { BodyReader } from '../pipeline/body.ts';
import { Failure } from '../pipeline/failure.ts';
import { ENCAPSULATION_BYTES } from '../pipeline/ingest.ts';
import { startStream } from '../pipeline/stream.ts';
import { report } from '../problems.ts';
import type { AppContext } from './context.ts';
import { checkKind, checkLength, checkMedia, isDryRun } from './request.ts';

/** POST /v1/parcels/stream[?dryRun=1]: sealed chunks in, sealed results out while the request is still being read. */
export async function postStream(c: AppContext): Promise<Response> {
  const { auth, ingest, patience } = c.get('deps');
  checkMedia(c, STREAM.requestType);
  checkLength(c, MAX_STREAM_BYTES);
  const signer = await authenticate(auth, c.req.raw);
  // It could say nothing that we check: the chunks themselves are authenticated.
  if (c.req.header('content-digest') !== undefined) throw new Failure('signature_invalid');
  const body = new BodyReader(c.req.raw.body, MAX_STREAM_BYTES, patience.streamIdleMs);
  const head = await firstOctets(body);
  checkEncapsulation(c.req.raw, head);
  checkKind(signer, 'enterprise');
  const requestId = c.get('requestId');
  const answer = await startStream(
    ingest,
    signer.party.id,
    head,
    body,
    isDryRun(c),
    standing(auth, signer),
    (error) => report(requestId, error),
  );
  return c.body(answer, 200, { 'content-type': STREAM.responseType });
}

/** hdr ‖ enc. A body that is shorter can't be the one that was signed. */
async function firstOctets(body: BodyReader): Promise<Uint8Array> {
  try {
    return await body.exactly(ENCAPSULATION_BYTES);
  } catch (error) {
    throw error instanceof FormatError ? new Failure('signature_invalid') : error;
  }
}
