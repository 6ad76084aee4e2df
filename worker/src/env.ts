/** Bindings of wrangler.toml as they come, and checked. A wrong one is named by its variable; its value is never shown. */
import type { IndexPeriod } from '../../wire/indexes.ts';
import { type Mode, modeOfKeyId } from '../../wire/keys.ts';
import { fromBase64url } from './base64url.ts';
import { BODY_DEADLINE_MS, STREAM_IDLE_MS } from './pipeline/limits.ts';
import { isSmallOrderEd25519 } from './pipeline/small-order.ts';
import type { Writer } from './writer.ts';

export interface RawEnv {
  DB: D1Database;
  WRITER: DurableObjectNamespace<Writer>;
  SEALPOST_CITY: string;
  SEALPOST_NODE: string;
  SEALPOST_AUTHORITY: string;
  SEALPOST_ROOT_KEY: string;
  SEALPOST_MIN_LIST_VERSION: string;
  /** production or sandbox. */
  SEALPOST_MODE: string;
  /** Milliseconds, 100 to 600,000; BODY_DEADLINE_MS and STREAM_IDLE_MS when they are absent. */
  SEALPOST_BODY_DEADLINE_MS?: string;
  SEALPOST_STREAM_IDLE_MS?: string;
  /** JSON: { edgeKeys, signingKey, indexKeys }; keys in base64url, times in milliseconds. */
  SEALPOST_SECRETS: string;
}

export interface EdgeKey {
  /** 0 to 127; of a sandbox 128 to 255. */
  id: number;
  /** X25519, 32 octets. */
  privateKey: Uint8Array;
  notBefore: number;
  notAfter: number;
}

export interface IndexKey extends IndexPeriod {
  /** 32 octets. */
  key: Uint8Array;
}

/** How long a sender is waited for. */
export interface Patience {
  /** Milliseconds for the whole body of a request that is no stream. */
  bodyDeadlineMs: number;
  /** Milliseconds that a stream may be silent, or take over one chunk. */
  streamIdleMs: number;
}

export interface Environment {
  mode: Mode;
  db: D1Database;
  writers: DurableObjectNamespace<Writer>;
  /** Division code, six digits. */
  city: number;
  node: string;
  /** Host and port that clients sign. */
  authority: string;
  /** Ed25519, 32 octets. */
  rootKey: Uint8Array;
  minListVersion: number;
  patience: Patience;
  edgeKeys: EdgeKey[];
  /** Ed25519 seed, 32 octets. */
  signingKey: Uint8Array;
  indexKeys: IndexKey[];
}

/** The environment is not what it must be. Names the variable, and the place in it, alone. */
export class EnvironmentError extends Error {
  constructor(variable: string, must: string) {
    super(`${variable} must be ${must}`);
    this.name = 'EnvironmentError';
  }
}

/** @throws EnvironmentError for the first variable that is wrong */
export function checkEnvironment(raw: RawEnv): Environment {
  if (typeof raw.DB?.prepare !== 'function') throw new EnvironmentError('DB', 'a D1 database');
  if (typeof raw.WRITER?.idFromName !== 'function') {
    throw new EnvironmentError('WRITER', 'a Durable Object namespace');
  }
  const must = 'production or sandbox';
  const mode = matching(raw, 'SEALPOST_MODE', /^(production|sandbox)$/, must) as Mode;
  return {
    mode,
    db: raw.DB,
    writers: raw.WRITER,
    city: Number(matching(raw, 'SEALPOST_CITY', /^[1-9]\d{5}$/, 'a division code of six digits')),
    node: matching(raw, 'SEALPOST_NODE', /^[a-z0-9-]{1,64}$/, '1 to 64 of a-z 0-9 -'),
    authority: matching(raw, 'SEALPOST_AUTHORITY', /^[a-z0-9.[\]:-]{1,255}$/, 'host and port'),
    rootKey: rootKey(raw),
    minListVersion: Number(
      matching(raw, 'SEALPOST_MIN_LIST_VERSION', /^[1-9]\d{0,8}$/, 'a whole number above 0'),
    ),
    patience: {
      bodyDeadlineMs: milliseconds(raw, 'SEALPOST_BODY_DEADLINE_MS', BODY_DEADLINE_MS),
      streamIdleMs: milliseconds(raw, 'SEALPOST_STREAM_IDLE_MS', STREAM_IDLE_MS),
    },
    ...secrets(raw.SEALPOST_SECRETS, mode),
  };
}

function matching(raw: RawEnv, name: keyof RawEnv, form: RegExp, must: string): string {
  const value: unknown = raw[name];
  if (typeof value !== 'string' || !form.test(value)) throw new EnvironmentError(name, must);
  return value;
}

function milliseconds(raw: RawEnv, name: keyof RawEnv, otherwise: number): number {
  if (raw[name] === undefined) return otherwise;
  const must = 'milliseconds, 100 to 600000';
  const value = Number(matching(raw, name, /^[1-9]\d{2,5}$/, must));
  if (value > 600_000) throw new EnvironmentError(name, must);
  return value;
}

function rootKey(raw: RawEnv): Uint8Array {
  const must = 'an Ed25519 public key in hexadecimal';
  const text = matching(raw, 'SEALPOST_ROOT_KEY', /^[0-9a-f]{64}$/i, must);
  const key = Uint8Array.from(text.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
  if (isSmallOrderEd25519(key)) throw new EnvironmentError('SEALPOST_ROOT_KEY', must);
  return key;
}

function secrets(
  text: unknown,
  mode: Mode,
): Pick<Environment, 'edgeKeys' | 'signingKey' | 'indexKeys'> {
  const all = new Secrets('SEALPOST_SECRETS', parseJson(text));
  const edgeKeys = all.list('edgeKeys').map((key) => ({
    id: key.number('id', 0, 255),
    privateKey: key.bytes('privateKey'),
    ...key.period('notBefore', 'notAfter'),
  }));
  const indexKeys = all
    .list('indexKeys')
    .map((key) => ({
      version: key.number('version', 1, 0xffff),
      key: key.bytes('key'),
      ...key.period('fromMs', 'untilMs'),
    }))
    .sort((a, b) => a.fromMs - b.fromMs);
  const ids = mode === 'sandbox' ? '128 to 255' : '0 to 127';
  all.require(
    'edgeKeys',
    edgeKeys.every(({ id }) => modeOfKeyId(id) === mode),
    `of ids from ${ids}, as SEALPOST_MODE is ${mode}`,
  );
  all.require('edgeKeys', distinct(edgeKeys.map(({ id }) => id)), 'of different ids');
  all.require(
    'indexKeys',
    distinct(indexKeys.map(({ version }) => version)) &&
      indexKeys.every(({ fromMs }, i) => i === 0 || fromMs >= (indexKeys[i - 1]?.untilMs ?? 0)),
    'of different versions, in periods that do not overlap',
  );
  return { edgeKeys, signingKey: all.bytes('signingKey'), indexKeys };
}

/** One object inside SEALPOST_SECRETS, and where it stands. */
class Secrets {
  readonly #place: string;
  readonly #fields: Readonly<Record<string, unknown>>;

  constructor(place: string, value: unknown) {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      throw new EnvironmentError(place, 'a JSON object');
    }
    this.#place = place;
    this.#fields = value as Record<string, unknown>;
  }

  require(name: string, holds: boolean, must: string): void {
    if (!holds) throw new EnvironmentError(`${this.#place}.${name}`, must);
  }

  list(name: string): Secrets[] {
    const value = this.#fields[name];
    this.require(name, Array.isArray(value) && value.length > 0, 'a list that is not empty');
    return (value as unknown[]).map((each, i) => new Secrets(`${this.#place}.${name}[${i}]`, each));
  }

  bytes(name: string): Uint8Array {
    const bytes = decoded(this.#fields[name]);
    this.require(name, bytes?.length === 32, '32 octets in base64url');
    return bytes as Uint8Array;
  }

  number(name: string, min: number, max: number): number {
    const value = this.#fields[name] as number;
    const holds = Number.isSafeInteger(value) && value >= min && value <= max;
    this.require(name, holds, `a whole number from ${min} to ${max}`);
    return value;
  }

  period<From extends string, Until extends string>(from: From, until: Until) {
    const start = this.number(from, 0, Number.MAX_SAFE_INTEGER);
    const end = this.number(until, 0, Number.MAX_SAFE_INTEGER);
    this.require(until, start < end, `later than ${from}`);
    return { [from]: start, [until]: end } as Record<From | Until, number>;
  }
}

function parseJson(text: unknown): unknown {
  try {
    return JSON.parse(text as string);
  } catch {
    return undefined;
  }
}

function decoded(value: unknown): Uint8Array | undefined {
  try {
    return typeof value === 'string' ? fromBase64url(value) : undefined;
  } catch {
    return undefined;
  }
}

function distinct(values: readonly number[]): boolean {
  return new Set(values).size === values.length;
}
