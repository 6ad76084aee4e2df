/** What a service is given to do before it is searched: records of marked people in every way that goes well or wrong. */
import { encodeRecord } from '../../wire/record.ts';
import { type Marked, marked } from './abuse-marked.ts';
import { PARCELS, RawConnection, requestHead, signedSingle } from './abuse-raw.ts';
import {
  type Encapsulation,
  encapsulate,
  postSingle,
  problemCode,
  seal,
  sealChunk,
  submit,
} from './independent-client.ts';
import { lookup, pull } from './independent-pull.ts';
import { sendStream, streamHeaders } from './independent-stream.ts';
import type { TestService } from './service.ts';

/** How a record is sent; one of twenty each, singles more often than they would be. */
const WAYS = [
  ...Array(8).fill('stream'),
  ...Array(3).fill('single'),
  ...['refused', 'refused in a stream', 'malformed', 'by a stranger', 'for another party'],
  ...['to an unknown key', 'cut', 'reset', 'conflict'],
] as const;
type Way =
  | 'stream'
  | 'single'
  | 'refused'
  | 'refused in a stream'
  | 'malformed'
  | 'by a stranger'
  | 'for another party'
  | 'to an unknown key'
  | 'cut'
  | 'reset'
  | 'conflict';

/** Records of one chunk; a marked record has about 330 octets. */
const CHUNK = 40;

export interface Traffic {
  /** Everything that must not be found. */
  values: string[];
  /** How many records went which way. */
  ways: Record<string, number>;
  /** Answers by status, code or outcome. */
  answers: Record<string, number>;
}

/** Sends `count` marked records, then pulls and looks up. */
export async function send(service: TestService, count: number): Promise<Traffic> {
  const traffic: Traffic = { values: [], ways: {}, answers: {} };
  const add = (tally: Record<string, number>, key: string, by = 1) => {
    tally[key] = (tally[key] ?? 0) + by;
  };
  const waiting: Partial<Record<Way, Marked[]>> = {};
  const streamed = async (way: Way) => {
    const group = waiting[way] ?? [];
    waiting[way] = [];
    if (group.length === 0) return;
    const { summary, status } = await sendGroup(service, way, group);
    add(traffic.answers, `${way}: ${status}`);
    for (const [name, number] of Object.entries(summary ?? {})) {
      if (typeof number === 'number' && number > 0) add(traffic.answers, `${way}: ${name}`, number);
    }
  };
  const one = async (number: number) => {
    const way = WAYS[(number * 7) % WAYS.length] as Way;
    const person = marked(number, faultOf(way));
    traffic.values.push(...person.values);
    add(traffic.ways, way);
    if (way === 'stream' || way === 'refused in a stream' || way === 'reset') {
      const group = [...(waiting[way] ?? []), person];
      waiting[way] = group;
      if (group.length >= (way === 'reset' ? 2 : CHUNK)) await streamed(way);
      return;
    }
    for (const answer of await sendSingle(service, way, person))
      add(traffic.answers, `${way}: ${answer}`);
  };
  const numbers = Array.from({ length: count }, (_, number) => number);
  await Promise.all(
    Array.from({ length: 4 }, async () => {
      for (let next = numbers.shift(); next !== undefined; next = numbers.shift()) await one(next);
    }),
  );
  for (const way of Object.keys(waiting) as Way[]) await streamed(way);
  await readBack(service);
  return traffic;
}

function faultOf(way: Way) {
  // A check digit that is wrong, of a waybill that a carrier would not print.
  if (way === 'refused') return { carrier: 'EMS', waybill: 'RB123456786US' };
  return way === 'refused in a stream' ? { outlet: '\u0000' } : {};
}

async function sendSingle(service: TestService, way: Way, { record }: Marked): Promise<string[]> {
  const { url, a, b, edgeKey } = service;
  const bytes = encodeRecord(record);
  const told = async ({ response, result }: Awaited<ReturnType<typeof submit>>) =>
    result ? `outcome ${result.outcome}` : `${response.status} ${await problemCode(response)}`;
  switch (way) {
    case 'malformed':
      return [await told(await submit(url, a, edgeKey, bytes.subarray(0, -3)))];
    case 'by a stranger': {
      const keyid = 'A'.repeat(43);
      return [await told(await submit(url, a, edgeKey, bytes, { tampering: { keyid } }))];
    }
    case 'for another party':
      return [await told(await submit(url, b, edgeKey, bytes, { sealedFor: a.id }))];
    case 'to an unknown key':
      return [await told(await submit(url, a, { ...edgeKey, keyId: 77 }, bytes))];
    case 'cut':
      return sendCut(service, bytes);
    case 'conflict': {
      const other = encodeRecord({ ...record, outlet: 'GY-0013' });
      const first = await submit(url, a, edgeKey, bytes);
      const again = await submit(url, a, edgeKey, bytes);
      return [
        await told(first),
        await told(again),
        await told(await submit(url, a, edgeKey, other)),
      ];
    }
    default:
      return [await told(await submit(url, b, edgeKey, bytes))];
  }
}

/** Half of a body on a connection that then breaks; and the half signed as if it were the whole. */
async function sendCut(service: TestService, bytes: Uint8Array): Promise<string[]> {
  const encapsulation = await encapsulate(service.edgeKey, service.a.id, 'request');
  const body = Buffer.concat([encapsulation.head, await seal(encapsulation, bytes)]);
  const connection = new RawConnection(service);
  const head = requestHead('POST', PARCELS, service, [
    ...Object.entries(signedSingle(service, service.a, body)),
    ['content-length', String(body.length)],
  ]);
  connection.send(Buffer.concat([head, body.subarray(0, body.length / 2)]));
  connection.close();
  const response = await postSingle(service.url, service.a, body.subarray(0, body.length / 2));
  return [`${response.status} ${await problemCode(response)}`];
}

async function sendGroup(service: TestService, way: Way, group: readonly Marked[]) {
  const { url, a } = service;
  const stream = await encapsulate(service.edgeKey, a.id, 'chunked request');
  const records = group.map(({ record }) => encodeRecord(record));
  if (way === 'reset') return resetStream(service, stream, records);
  const chunks = [await sealChunk(stream, records, false), await sealChunk(stream, [], true)];
  const { response, summary } = await sendStream(url, a, stream, chunks);
  return { summary, status: response.status };
}

/** A stream whose second chunk is cut by a reset. */
async function resetStream(service: TestService, stream: Encapsulation, records: Uint8Array[]) {
  const [first, ...rest] = records;
  const sent = await sealChunk(stream, first ? [first] : [], false);
  const cut = await sealChunk(stream, rest, false);
  const connection = new RawConnection(service);
  const head = requestHead('POST', `${PARCELS}/stream`, service, [
    ...Object.entries(streamHeaders(service.url, service.a, stream.head)),
    ['content-length', '1000000'],
  ]);
  connection.send(Buffer.concat([head, stream.head, sent, cut.subarray(0, cut.length / 2)]));
  await connection.begun();
  connection.close();
  return { summary: undefined, status: 0 };
}

/** Pulls in both views, and looks up what the first row is indexed by. */
async function readBack({ url, regulator, a, edgeSigning }: TestService): Promise<void> {
  const { rows } = await pull(url, regulator, edgeSigning);
  await pull(url, a, edgeSigning);
  const parcel = rows[0]?.parcel;
  if (parcel) await lookup(url, regulator, edgeSigning, [parcel.subarray(80, 96)]);
}

/** A client that has understood nothing: people in URLs, headers, and bodies that are not sealed. @returns their values */
export async function sendUnsealed(
  service: TestService,
  count: number,
  from: number,
): Promise<string[]> {
  const values: string[] = [];
  for (let number = from; number < from + count; number++) {
    const person = marked(number);
    values.push(...person.values);
    const [name = '', , phone = ''] = person.values;
    const body = JSON.stringify(person.record);
    const type = (value: string) => ({ 'content-type': value });
    const wrong: [string, RequestInit][] = [
      [`${PARCELS}/${encodeURIComponent(name)}`, {}],
      [`/v1/pull?phone=${phone}`, { headers: { 'x-name': encodeURIComponent(name) } }],
      [`/v1/keys?name=${encodeURIComponent(name)}`, {}],
      [PARCELS, { method: 'POST', body, headers: type('application/json') }],
      [PARCELS, { method: 'POST', body, headers: type('message/sealpost-parcel-req') }],
      [
        `${PARCELS}/stream`,
        { method: 'POST', body, headers: type('message/sealpost-parcel-chunked-req') },
      ],
    ];
    for (const [path, init] of wrong) await (await fetch(service.url + path, init)).arrayBuffer();
    const signed = await postSingle(service.url, service.a, Buffer.from(body));
    await signed.arrayBuffer();
  }
  return values;
}
