/** Every route of the edge with its description; docs/edge-api.md says more about each. */
import { SINGLE, STREAM } from '../../../wire/envelope.ts';
import { ERASE_TYPE, ERASURE_TYPE, MAX_ERASE_BYTES } from '../../../wire/erase.ts';
import { KEYS_SIGNATURE_HEADER, KEYS_TYPE } from '../../../wire/keys.ts';
import {
  MAX_ERASE_IDS,
  MAX_LOOKUP_INDEXES,
  MAX_SINGLE_BODY_BYTES,
  MAX_STREAM_BYTES,
  MAX_STREAM_RECORDS,
} from '../../../wire/limits.ts';
import { LOOKUP_TYPE, PULL_TYPE } from '../../../wire/pull.ts';
import type { QueryParameter, Route } from './description.ts';
import { postErase } from './erase.ts';
import { getHealth } from './health.ts';
import { getKeys } from './keys.ts';
import { MAX_LOOKUP_BYTES, postLookup } from './lookup.ts';
import { openapiRoute } from './openapi.ts';
import { postParcel } from './parcels.ts';
import { getPull } from './pull.ts';
import { getRecipients } from './recipients.ts';
import { getReconciliation } from './reconcile.ts';
import { postStream } from './stream.ts';

const DRY_RUN: QueryParameter = {
  name: 'dryRun',
  text: '1: records are judged and masked, nothing is stored; the outcome is `checked` in place of stored. Signed like every query.',
  schema: { type: 'string', enum: ['1'] },
};

const DESCRIBED: readonly Route[] = [
  {
    method: 'GET',
    path: '/v1/keys',
    handler: getKeys,
    description: {
      operationId: 'getKeys',
      summary: 'The keys to seal to',
      text: 'Key configurations (RFC 9458 section 3); use the first. Trust them only after their statement has been verified against the recipient list, and that against the pinned root key. docs/wire-format.md, section 2.',
      signedBy: [],
      answers: [
        {
          status: 200,
          type: KEYS_TYPE,
          text: 'One or more key configurations, each with its length (2 octets) in front.',
          headers: {
            [KEYS_SIGNATURE_HEADER]:
              'Byte sequence (RFC 9651): statement (56 octets) and Ed25519 signature (64 octets) about the body.',
          },
        },
      ],
      problems: ['unavailable'],
    },
  },
  {
    method: 'GET',
    path: '/v1/recipients',
    handler: getRecipients,
    description: {
      operationId: 'getRecipients',
      summary: 'The recipient list',
      text: 'The list of recipients, edge signing keys and delegates as the root key signed it. docs/wire-format.md, section 8.',
      signedBy: [],
      answers: [
        { status: 200, type: 'application/octet-stream', text: 'Body and signature of the list.' },
      ],
      problems: ['no_recipient', 'unavailable'],
    },
  },
  {
    method: 'POST',
    path: '/v1/parcels',
    handler: postParcel,
    description: {
      operationId: 'submitParcel',
      summary: 'Submit one record',
      text: 'One sealed record. Only a sealed result that opens acknowledges it; the status only repeats what the result says. docs/wire-format.md, section 3.',
      signedBy: ['enterprise'],
      query: [DRY_RUN],
      body: {
        type: SINGLE.requestType,
        text: 'hdr (7) ‖ enc (32) ‖ ciphertext of the CBOR record.',
        limit: MAX_SINGLE_BODY_BYTES,
        sealed: true,
        digest: true,
      },
      answers: [
        {
          status: 200,
          type: SINGLE.responseType,
          text: 'Sealed: stored, durable before (duplicate), or checked (dry run), with the masked view.',
        },
        {
          status: 409,
          type: SINGLE.responseType,
          text: 'Sealed: conflict. Another record has this id and is kept.',
        },
        {
          status: 422,
          type: SINGLE.responseType,
          text: 'Sealed: the record is refused; code and field are in the result (docs/errors.md).',
        },
      ],
      problems: [
        ...['malformed_request', 'forbidden', 'too_large', 'unsupported_media_type'],
        ...['unsupported_suite', 'unknown_key', 'decrypt_failed', 'no_recipient', 'store_full'],
      ] as const,
    },
  },
  {
    method: 'POST',
    path: '/v1/parcels/stream',
    handler: postStream,
    description: {
      operationId: 'streamParcels',
      summary: 'Submit many records',
      text: `Up to ${MAX_STREAM_RECORDS} records in sealed chunks, full duplex: results come while the request is still being sent. The answer is whole only when its final chunk opens. docs/wire-format.md, section 4; proxies must not buffer (docs/proxies.md).`,
      signedBy: ['enterprise'],
      query: [DRY_RUN],
      body: {
        type: STREAM.requestType,
        text: 'hdr (7) ‖ enc (32) ‖ framed sealed chunks ‖ final chunk (draft-ietf-ohai-chunked-ohttp).',
        limit: MAX_STREAM_BYTES,
        sealed: true,
        digest: false,
      },
      answers: [
        {
          status: 200,
          type: STREAM.responseType,
          text: 'Response nonce (32) ‖ framed sealed chunks of results ‖ final chunk with the counts.',
        },
      ],
      problems: [
        ...['malformed_request', 'forbidden', 'too_large', 'unsupported_media_type'],
        ...['unsupported_suite', 'unknown_key', 'decrypt_failed', 'no_recipient'],
      ] as const,
    },
  },
  {
    method: 'GET',
    path: '/v1/pull',
    handler: getPull,
    description: {
      operationId: 'pull',
      summary: 'Pull ciphertext',
      text: 'Commits after the cursor: for a regulator the full view of the city, for an enterprise the masked view of its own parcels. Complete only with its signed end. The nonce of the signature is used up. docs/wire-format.md, section 10.',
      signedBy: ['enterprise', 'regulator'],
      query: [
        {
          name: 'cursor',
          text: 'End cursor of the last pull, base64url without padding; absent for the beginning.',
          schema: { type: 'string', pattern: '^[A-Za-z0-9_-]*$' },
        },
      ],
      answers: [
        { status: 200, type: PULL_TYPE, text: 'Frames of epochs and commits, and a signed end.' },
      ],
      problems: ['malformed_request', 'replayed'],
    },
  },
  {
    method: 'GET',
    path: '/v1/reconcile',
    handler: getReconciliation,
    description: {
      operationId: 'reconcile',
      summary: 'What the store holds of a day',
      text: "How many of the enterprise's records were committed on a day (UTC) and the digest of their ids, to compare with its own ledger. Complete only with its signed end. The nonce of the signature is used up. docs/wire-format.md, section 10.",
      signedBy: ['enterprise'],
      query: [
        {
          name: 'day',
          text: 'Day of commit, UTC.',
          required: true,
          schema: { type: 'string', format: 'date' },
        },
        {
          name: 'ids',
          text: '1 to get the ids themselves before the statement.',
          schema: { type: 'string', enum: ['1'] },
        },
      ],
      answers: [
        { status: 200, type: PULL_TYPE, text: 'Frames of ids, the day, and a signed end.' },
      ],
      problems: ['malformed_request', 'forbidden', 'replayed'],
    },
  },
  {
    method: 'POST',
    path: '/v1/lookup',
    handler: postLookup,
    description: {
      operationId: 'lookup',
      summary: 'Find parcels by keyed index',
      text: `Full parcels that carry one of up to ${MAX_LOOKUP_INDEXES} keyed indexes, committed on the days asked for. The nonce of the signature is used up. docs/wire-format.md, sections 9 and 10.`,
      signedBy: ['regulator'],
      body: {
        type: LOOKUP_TYPE,
        text: '"SPQ1" ‖ from day (4) ‖ to day (4) ‖ indexes (16 each).',
        limit: MAX_LOOKUP_BYTES,
        sealed: false,
        digest: true,
      },
      answers: [
        { status: 200, type: PULL_TYPE, text: 'Frames of epochs and parcels, and a signed end.' },
      ],
      problems: [
        ...['malformed_request', 'forbidden', 'replayed', 'too_large', 'unsupported_media_type'],
      ] as const,
    },
  },
  {
    method: 'POST',
    path: '/v1/erase',
    handler: postErase,
    description: {
      operationId: 'erase',
      summary: 'Erase records by law',
      text: `Deletes the payloads and keyed indexes of up to ${MAX_ERASE_IDS} records of one enterprise; their receipts remain. What is not there, and an enterprise that is not known, read the same. The nonce of the signature is used up. docs/wire-format.md, section 10; docs/retention.md.`,
      signedBy: ['erasure'],
      body: {
        type: ERASE_TYPE,
        text: '"SPD1" ‖ enterprise (16) ‖ record ids (16 each).',
        limit: MAX_ERASE_BYTES,
        sealed: false,
        digest: true,
      },
      answers: [
        {
          status: 200,
          type: ERASURE_TYPE,
          text: 'Receipt, signed by the edge: what became of each record, and when.',
        },
      ],
      problems: [
        ...['malformed_request', 'forbidden', 'replayed', 'too_large', 'unsupported_media_type'],
      ] as const,
    },
  },
  {
    method: 'GET',
    path: '/healthz',
    handler: getHealth,
    description: {
      operationId: 'getHealth',
      summary: 'Is it running?',
      text: 'The configuration is right and the module runs. Asks nothing of the store.',
      signedBy: [],
      answers: [
        {
          status: 200,
          type: 'application/json',
          text: 'It runs.',
          schema: {
            type: 'object',
            required: ['status'],
            properties: { status: { const: 'ok' } },
          },
        },
      ],
      problems: [],
    },
  },
];

/** The table that the app is made of. */
export const ROUTES: readonly Route[] = [...DESCRIBED, openapiRoute(DESCRIBED)];
