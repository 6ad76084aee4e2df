import { describe, expect, it } from 'vitest';
import { checkEnvironment, type RawEnv } from '../../worker/src/env.ts';

const KEY = 'QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVphYmNkZWY';
const DAY = 86_400_000;

const SECRETS = {
  edgeKeys: [{ id: 1, privateKey: KEY, notBefore: 0, notAfter: DAY }],
  signingKey: KEY,
  indexKeys: [
    { version: 2, fromMs: DAY, untilMs: 2 * DAY, key: KEY },
    { version: 1, fromMs: 0, untilMs: DAY, key: KEY },
  ],
};

function environment(changes: Record<string, unknown> = {}, secrets: unknown = SECRETS): RawEnv {
  return {
    DB: { prepare: () => {} },
    WRITER: { idFromName: () => {} },
    SEALPOST_CITY: '520100',
    SEALPOST_NODE: 'gy-1',
    SEALPOST_AUTHORITY: '127.0.0.1:8787',
    SEALPOST_ROOT_KEY: '17'.repeat(32),
    SEALPOST_MIN_LIST_VERSION: '3',
    SEALPOST_MODE: 'production',
    SEALPOST_SECRETS: JSON.stringify(secrets),
    ...changes,
  } as unknown as RawEnv;
}

describe('the environment', () => {
  it('is taken when everything is right', () => {
    const checked = checkEnvironment(environment());
    expect(checked).toMatchObject({ city: 520100, node: 'gy-1', minListVersion: 3 });
    expect(checked.edgeKeys[0]?.privateKey).toEqual(
      new TextEncoder().encode('ABCDEFGHIJKLMNOPQRSTUVWXYZabcdef'),
    );
    expect(checked.indexKeys.map(({ version }) => version)).toEqual([1, 2]);
  });

  it('says how long senders are waited for', () => {
    const usual = { bodyDeadlineMs: 30_000, streamIdleMs: 60_000 };
    expect(checkEnvironment(environment()).patience).toEqual(usual);
    const short = { SEALPOST_BODY_DEADLINE_MS: '500', SEALPOST_STREAM_IDLE_MS: '600000' };
    expect(checkEnvironment(environment(short)).patience).toEqual({
      ...{ bodyDeadlineMs: 500, streamIdleMs: 600_000 },
    });
  });

  it.each<[string, Record<string, unknown>]>([
    ['DB', { DB: undefined }],
    ['WRITER', { WRITER: undefined }],
    ['SEALPOST_CITY', { SEALPOST_CITY: 'guiyang-secret' }],
    ['SEALPOST_CITY', { SEALPOST_CITY: '052010' }],
    ['SEALPOST_NODE', { SEALPOST_NODE: 'gy/1-secret' }],
    ['SEALPOST_AUTHORITY', { SEALPOST_AUTHORITY: 'https://secret' }],
    ['SEALPOST_ROOT_KEY', { SEALPOST_ROOT_KEY: 'secret' }],
    ['SEALPOST_ROOT_KEY', { SEALPOST_ROOT_KEY: `01${'00'.repeat(31)}` }],
    ['SEALPOST_MIN_LIST_VERSION', { SEALPOST_MIN_LIST_VERSION: '0' }],
    ['SEALPOST_MODE', { SEALPOST_MODE: undefined }],
    ['SEALPOST_MODE', { SEALPOST_MODE: 'Sandbox' }],
    ['SEALPOST_BODY_DEADLINE_MS', { SEALPOST_BODY_DEADLINE_MS: '99' }],
    ['SEALPOST_BODY_DEADLINE_MS', { SEALPOST_BODY_DEADLINE_MS: '600001' }],
    ['SEALPOST_STREAM_IDLE_MS', { SEALPOST_STREAM_IDLE_MS: '1e3' }],
    ['SEALPOST_SECRETS', { SEALPOST_SECRETS: undefined }],
    ['SEALPOST_SECRETS', { SEALPOST_SECRETS: '{"secret"' }],
    ['SEALPOST_SECRETS', { SEALPOST_SECRETS: '["secret"]' }],
  ])('names %s when it is wrong, and no value', (name, changes) => {
    const check = () => checkEnvironment(environment(changes));
    expect(check).toThrow(new RegExp(`^${name} must be`));
    expect(check).not.toThrow(/secret/);
  });

  const withIds = (...ids: number[]) => ({
    ...SECRETS,
    edgeKeys: ids.map((id) => ({ ...SECRETS.edgeKeys[0], id })),
  });
  it.each([
    ['production', [0, 127]],
    ['sandbox', [128, 255]],
  ])('is of one mode with the ids of its keys: %s', (SEALPOST_MODE, ids) => {
    const check = (mode: string) => () =>
      checkEnvironment(environment({ SEALPOST_MODE: mode }, withIds(...ids)));
    expect(check(SEALPOST_MODE)().mode).toBe(SEALPOST_MODE);
    const other = SEALPOST_MODE === 'sandbox' ? 'production' : 'sandbox';
    expect(check(other)).toThrow(/^SEALPOST_SECRETS\.edgeKeys must be .*SEALPOST_MODE/);
    const mixed = () =>
      checkEnvironment(environment({ SEALPOST_MODE }, withIds(ids[0] as number, 127, 128)));
    expect(mixed).toThrow(/^SEALPOST_SECRETS\.edgeKeys must be .*SEALPOST_MODE/);
  });

  const [edgeKey] = SECRETS.edgeKeys;
  const [indexKey] = SECRETS.indexKeys;
  it.each<[string, unknown]>([
    ['edgeKeys', { ...SECRETS, edgeKeys: [] }],
    ['edgeKeys', { ...SECRETS, edgeKeys: [edgeKey, edgeKey] }],
    ['edgeKeys[0]', { ...SECRETS, edgeKeys: [KEY] }],
    ['edgeKeys[0].id', { ...SECRETS, edgeKeys: [{ ...edgeKey, id: 256 }] }],
    [
      'edgeKeys[0].privateKey',
      { ...SECRETS, edgeKeys: [{ ...edgeKey, privateKey: KEY.slice(1) }] },
    ],
    ['edgeKeys[0].privateKey', { ...SECRETS, edgeKeys: [{ ...edgeKey, privateKey: `${KEY}=` }] }],
    ['edgeKeys[0].notAfter', { ...SECRETS, edgeKeys: [{ ...edgeKey, notAfter: 0 }] }],
    ['signingKey', { ...SECRETS, signingKey: undefined }],
    ['indexKeys', { ...SECRETS, indexKeys: [indexKey, { ...indexKey, version: 3 }] }],
    ['indexKeys[0].version', { ...SECRETS, indexKeys: [{ ...indexKey, version: 65536 }] }],
    ['indexKeys[0].fromMs', { ...SECRETS, indexKeys: [{ ...indexKey, fromMs: '0' }] }],
  ])('names the place %s inside the secrets, and no key', (place, secrets) => {
    const check = () => checkEnvironment(environment({}, secrets));
    const escaped = place.replace(/[[\].]/g, '\\$&');
    expect(check).toThrow(new RegExp(`^SEALPOST_SECRETS\\.${escaped} must be`));
    expect(check).not.toThrow(new RegExp(KEY.slice(1, 20)));
  });
});
