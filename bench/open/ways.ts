/** Ways of opening what was pulled: each gives every record's CBOR, or its line of NDJSON. */
import { chacha20poly1305 } from '@noble/ciphers/chacha.js';
import { expand } from '@noble/hashes/hkdf.js';
import { sha256 } from '@noble/hashes/sha2.js';
import { OpenError } from '../../client/errors.ts';
import { ndjsonLine } from '../../client/output.ts';
import { setupReceiver } from '../../test/support/noble-hpke.ts';
import { PARCEL_OPENED } from '../../wasm/host/abi.gen.ts';
import { ParcelOpener } from '../../wasm/host/opener.ts';
import { parsePadded } from '../../wire/answer.ts';
import { concat, utf8 } from '../../wire/bytes.ts';
import { parseEpoch, wrapInfo } from '../../wire/epoch.ts';
import { PARCEL_KEY_LABEL, parcelNonce, parseParcel } from '../../wire/parcel.ts';
import { encodeRecord, type ParcelRecord } from '../../wire/record.ts';
import type { Pulled } from './parcels.ts';

/** Parcels that `pull` opens at a time. */
const BLOCK = 256;

/** One pass over all parcels. @param take gets each record's CBOR in order, for the comparison */
export type OpenWay = (take?: (cbor: Uint8Array) => void) => void;

export function openWays(pulled: Pulled, module: WebAssembly.Module): Record<string, OpenWay> {
  return {
    'module, to CBOR': byModule(pulled, module),
    'noble, to CBOR': byNoble(pulled),
    'SDK, to NDJSON as `pull` writes it': bySdk(pulled),
  };
}

/** The wrap of the epoch's key to the first of the regulator's keys. */
function wrapFor({ epoch, recipientKeys }: Pulled) {
  const [recipient] = recipientKeys;
  if (!recipient) throw new Error('no recipient key');
  const parsed = parseEpoch(epoch);
  const keyid = sha256(recipient.publicKey);
  const wrap = parsed.wraps.find((each) => Buffer.compare(each.recipient, keyid) === 0);
  if (!wrap) throw new Error('the epoch is not for us');
  return { recipient, wrap, ...parsed };
}

function byModule(pulled: Pulled, module: WebAssembly.Module): OpenWay {
  const { recipient, wrap, params, commit } = wrapFor(pulled);
  const opener = new ParcelOpener(module, 120_000);
  const { enc, sealed } = wrap;
  const handle = opener.openEpoch({ ...recipient, enc, sealed, params, commit });
  if (typeof handle === 'string') throw new Error(`the epoch does not open: ${handle}`);
  const { parcels } = pulled;
  return (take) => {
    for (let at = 0; at < parcels.length; ) {
      const opened = opener.open(handle, parcels, at);
      for (let i = 0; i < opened.count; i++) {
        if (opened.status(i) !== PARCEL_OPENED) throw new Error('a parcel does not open');
        const cbor = opened.cbor(i);
        take?.(cbor);
      }
      at += opened.count;
    }
  };
}

function byNoble(pulled: Pulled): OpenWay {
  const { recipient, wrap, params, commit } = wrapFor(pulled);
  const receiver = setupReceiver(wrap.enc, recipient, wrapInfo(wrap.recipient));
  const contentKey = receiver.open(wrap.sealed, concat(params, commit));
  const key = expand(sha256, contentKey, concat(utf8(PARCEL_KEY_LABEL), params), 32);
  return (take) => {
    for (const bytes of pulled.parcels) {
      const parcel = parseParcel(bytes);
      const plain = chacha20poly1305(key, parcelNonce(parcel), parcel.aad).decrypt(parcel.sealed);
      const cbor = parsePadded(plain);
      take?.(cbor);
    }
  };
}

/** Everything that `pull` does with a parcel: the epoch's signature was checked before. */
function bySdk({ workspace, recipientKeys, epoch, parcels }: Pulled): OpenWay {
  const opener = workspace.opener(recipientKeys);
  opener.addEpoch(epoch);
  const blocks: { bytes: Uint8Array }[][] = [];
  for (let at = 0; at < parcels.length; at += BLOCK) {
    blocks.push(parcels.slice(at, at + BLOCK).map((bytes) => ({ bytes })));
  }
  return (take) => {
    for (const block of blocks) {
      const lines = opener.openAll(block).map((opened) => {
        if (opened instanceof OpenError) throw opened;
        return ndjsonLine(opened);
      });
      const text = Buffer.from(lines.join(''));
      if (!take) continue;
      for (const line of text.toString().trimEnd().split('\n')) {
        take(encodeRecord((JSON.parse(line) as { record: ParcelRecord }).record));
      }
    }
  };
}
