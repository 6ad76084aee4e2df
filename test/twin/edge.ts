/** The module as the edge runs it, with all that a test needs beside it: its memory, its keys, and clients with known secrets. */
import { chacha20poly1305 } from '@noble/ciphers/chacha.js';
import { x25519 } from '@noble/curves/ed25519.js';
import { expand } from '@noble/hashes/hkdf.js';
import { sha256 } from '@noble/hashes/sha2.js';
import {
  type EpochRequest,
  type PartyBinding,
  Session,
  type StartedEpoch,
} from '../../wasm/host/session.ts';
import { concat, equalBytes, utf8 } from '../../wire/bytes.ts';
import { encapsulationInfo, encodeHeader, FINAL_AAD, SINGLE, STREAM } from '../../wire/envelope.ts';
import { encodeEpoch, NATIONAL, parseEpoch, wrapInfo } from '../../wire/epoch.ts';
import { PARCEL_KEY_LABEL, VIEW_FULL, VIEW_MASKED } from '../../wire/parcel.ts';
import { type Exchange, exchange, received, sealAt } from './hpke.ts';

export const CITY = 520100;
export const KEY_ID = 7;
export const NOW = Date.UTC(2026, 10, 20, 8);
const DAY = 86_400_000;

export interface EdgeKeys {
  edgePrivate: Uint8Array;
  indexKey: Uint8Array;
  /** X25519 private keys of the readers. */
  regulators: Uint8Array[];
  company: Uint8Array;
}

export function randomKeys(): EdgeKeys {
  const key = () => crypto.getRandomValues(new Uint8Array(32));
  return { edgePrivate: key(), indexKey: key(), regulators: [key(), key()], company: key() };
}

export function randomParty(): PartyBinding {
  const enterprise = crypto.getRandomValues(new Uint8Array(16));
  return { enterprise, device: new Uint8Array(16), masked: true };
}

/** Runs `make` and keeps the memory of each instance that it makes of the module, the last one last. */
export function recordMemories<T>(memories: Uint8Array[], make: () => T): T {
  const original = WebAssembly.Instance;
  WebAssembly.Instance = new Proxy(original, {
    construct(target, [module]: [WebAssembly.Module]) {
      const instance = new target(module);
      memories.push(new Uint8Array((instance.exports.memory as WebAssembly.Memory).buffer));
      return instance;
    },
  });
  try {
    return make();
  } finally {
    WebAssembly.Instance = original;
  }
}

export class TestEdge {
  readonly session: Session;
  readonly keys: EdgeKeys;
  readonly memories: Uint8Array[] = [];
  readonly publicKey: Uint8Array;

  /** @param configured false: without its index key */
  constructor(module: WebAssembly.Module, keys = randomKeys(), configured = true) {
    this.keys = keys;
    this.publicKey = x25519.getPublicKey(keys.edgePrivate);
    this.session = recordMemories(
      this.memories,
      () =>
        new Session(module, CITY, (session) => {
          session.setEdgeKey(KEY_ID, keys.edgePrivate, NOW - DAY, NOW + DAY);
          if (configured) this.setIndexKey(session);
        }),
    );
  }

  setIndexKey(session = this.session): void {
    const period = { version: 323, fromMs: NOW - 40 * DAY, untilMs: NOW + DAY };
    session.setIndexKey(period, this.keys.indexKey);
  }

  /** The memory of the instance that is in use. */
  get memory(): Uint8Array {
    return this.memories.at(-1) as Uint8Array;
  }

  /** Runs what may end in a trap, so that the memory of the next instance is known. */
  recorded<T>(run: () => T): T {
    return recordMemories(this.memories, run);
  }

  startEpochs(party: PartyBinding) {
    const request: Omit<EpochRequest, 'view' | 'audience'> = {
      ...{ startMs: NOW, endMs: NOW + 900_000, listVersion: 3 },
      listHash: new Uint8Array(32).fill(9),
    };
    const full = this.session.startEpoch(
      { ...request, view: VIEW_FULL, audience: NATIONAL },
      this.keys.regulators.map((key) => x25519.getPublicKey(key)),
    );
    const masked = this.session.startEpoch(
      { ...request, view: VIEW_MASKED, audience: party.enterprise },
      [x25519.getPublicKey(this.keys.company)],
    );
    return { full, masked };
  }

  /** A client's exchange with this edge. */
  client(
    party: PartyBinding,
    label: string,
    ephemeral: Uint8Array = crypto.getRandomValues(new Uint8Array(32)),
  ): Exchange & { head: Uint8Array } {
    const hdr = encodeHeader(KEY_ID);
    const info = encapsulationInfo(label, hdr, party.enterprise, party.device);
    const made = exchange(ephemeral, this.publicKey, info);
    return { ...made, head: concat(hdr, made.enc) };
  }

  /** The body of a single submission, and its exchange. */
  single(party: PartyBinding, plaintext: Uint8Array, ephemeral?: Uint8Array) {
    const made = this.client(party, SINGLE.requestLabel, ephemeral);
    return { ...made, body: concat(made.head, sealAt(made, 0, plaintext)) };
  }

  /** A stream's exchange, and what seals its chunks. */
  stream(party: PartyBinding, ephemeral?: Uint8Array) {
    const made = this.client(party, STREAM.requestLabel, ephemeral);
    const seal = (position: number, plaintext: Uint8Array, final = false) =>
      sealAt(made, position, plaintext, final ? FINAL_AAD : undefined);
    return { ...made, seal };
  }
}

/** Content key and parcel key of an epoch, as one of its readers finds them (docs/wire-format.md section 7). */
export function epochKeys(started: StartedEpoch, privateKey: Uint8Array) {
  const keyId = sha256(x25519.getPublicKey(privateKey));
  const zeros = new Uint8Array(64);
  const { params, commit, wraps } = started;
  const epoch = parseEpoch(encodeEpoch(params, commit, wraps, zeros.subarray(32), zeros));
  const wrap = epoch.wraps.find(({ recipient }) => equalBytes(recipient, keyId));
  if (!wrap) throw new Error('not a reader');
  const made = received(privateKey, wrap.enc, wrapInfo(keyId));
  const { key, baseNonce } = made.secrets;
  const cipher = chacha20poly1305(key, baseNonce, concat(epoch.params, epoch.commit));
  const content = cipher.decrypt(wrap.sealed);
  const parcel = expand(sha256, content, concat(utf8(PARCEL_KEY_LABEL), params), 32);
  return { content, parcel, wrap: made.secrets };
}

/** A result that must be one of success. @throws Error with the status of another */
export function opened<T extends { status: string }>(result: T): Extract<T, { status: 'ok' }> {
  if (result.status !== 'ok') throw new Error(`status ${result.status}`);
  return result as Extract<T, { status: 'ok' }>;
}
