/** Case 9: recipient lists that somebody who can write to the store puts there, while the real service runs on it or is started on it. */
import { sign } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { concat } from '../../wire/bytes.ts';
import { encodeListBody, listSigningInput, parseSignedList } from '../../wire/recipients.ts';
import { record } from '../support/abuse.ts';
import { inStore } from '../support/abuse-store.ts';
import { OUTCOME, problemCode, submit } from '../support/independent-client.ts';
import { startTestService, type TestService } from '../support/service.ts';

let service: TestService;

beforeAll(async () => {
  service = await startTestService();
});

afterAll(() => service.stop());

const DAY = 86_400_000;
const good = async () =>
  new Uint8Array(await (await fetch(`${service.url}/v1/recipients`)).arrayBuffer());

async function submission() {
  const { response, result } = await submit(service.url, service.a, service.edgeKey, record());
  return result ? result.outcome : problemCode(response);
}

function put(list: Uint8Array): void {
  inStore(service, (database) => {
    database.exec('DELETE FROM recipient_lists');
    database
      .prepare('INSERT INTO recipient_lists VALUES (?, ?)')
      .run(parseSignedList(list).list.version, list);
  });
}

it('case 9: expired, not yet valid, of a key of small order, of no reader, or signed by another: nothing is sealed', async () => {
  const signed = await good();
  const { list } = parseSignedList(signed);
  const by = (changes: Partial<typeof list>, key = service.rootPrivateKey) => {
    const body = encodeListBody({ ...list, version: 2, ...changes });
    return concat(body, sign(null, listSigningInput(body), key));
  };
  const [reader, ...others] = list.entries;
  const small = Uint8Array.of(1, ...new Uint8Array(31));
  const weak = { ...(reader as (typeof list.entries)[number]), publicKey: small };
  const bad: [string, Uint8Array][] = [
    ['expired', by({ notBefore: Date.now() - 2 * DAY, notAfter: Date.now() - DAY })],
    ['not yet valid', by({ notBefore: Date.now() + DAY, notAfter: Date.now() + 2 * DAY })],
    ['small order', by({ entries: [weak, ...others] })],
    ['no reader', by({ entries: others })],
    ['no edge', by({ entries: list.entries.slice(0, 1) })],
    ['another root', by({}, service.regulator.privateKey)],
    ['changed', by({}).map((byte, i) => (i === 40 ? byte ^ 1 : byte))],
  ];
  for (const [name, one] of bad) {
    await service.restart(() => put(one));
    expect(await submission(), name).toBe('no_recipient');
  }
  await service.restart(() => put(signed));
  expect(await submission()).toBe(OUTCOME.stored);
});

it('case 9: of the same version with other content, while the edge runs: it stops at its next look', async () => {
  const signed = await good();
  const { list } = parseSignedList(signed);
  expect(await submission()).toBe(OUTCOME.stored);
  const other = encodeListBody({ ...list, entries: list.entries.toReversed() });
  put(concat(other, sign(null, listSigningInput(other), service.rootPrivateKey)));
  const began = Date.now();
  let outcome: unknown = OUTCOME.stored;
  while (outcome === OUTCOME.stored && Date.now() - began < 10_000) {
    await delay(100);
    outcome = await submission();
  }
  expect(outcome).toBe('no_recipient');
  // No way around it: the same list again is taken, as nothing is a step back from it.
  put(signed);
  while (outcome === 'no_recipient' && Date.now() - began < 15_000) {
    await delay(100);
    outcome = await submission();
  }
  expect(outcome).toBe(OUTCOME.stored);
});
