/** What the worked examples start from: records, times, keys, and random values that are not random. */
import { encode } from 'cborg';
import { fixed, join, keyPair, u8, zeros } from './primitives.mjs';

export const CITY = 520100;
export const AUTHORITY = 'edge.example:8787';
export const NOW = Date.UTC(2026, 10, 20, 8);
export const DAY = 86_400_000;
export const RULE_SET = 20261101;
export const INDEX_VERSION = 323;
export const EDGE_KEY_ID = 1;
export const enterprise = fixed('enterprise', 16);

const pair = (type, name) => ({ name, ...keyPair(type, fixed(name)) });
export const keys = {
  root: pair('ed25519', 'root key'),
  edgeSigning: pair('ed25519', 'edge signing key'),
  delegate: pair('ed25519', 'delegate key'),
  enterpriseSigning: pair('ed25519', 'enterprise signing key'),
  regulatorSigning: pair('ed25519', 'regulator signing key'),
  edge: pair('x25519', 'edge key'),
  recipient1: pair('x25519', 'recipient key 1'),
  recipient2: pair('x25519', 'recipient key 2'),
  enterpriseReader: pair('x25519', 'enterprise reading key'),
  submission: pair('x25519', 'submission ephemeral'),
  stream: pair('x25519', 'stream ephemeral'),
};
export const indexKey = fixed('index key');

/** What the edge draws at random, 64 octets each time: once for each epoch and for each answer. */
export const draws = {
  fullEpoch: fixed('draw of the full epoch', 64),
  maskedEpoch: fixed('draw of the masked epoch', 64),
  answer: fixed('draw of the answer', 64),
  streamAnswer: fixed('draw of the answer to the stream', 64),
};

/** A UUIDv7 (RFC 9562 section 5.7) of a time. */
function recordId(name, ms) {
  const random = fixed(name, 10);
  const time = Buffer.from(ms.toString(16).padStart(12, '0'), 'hex');
  random[0] = 0x70 | (random[0] & 0x0f);
  random[2] = 0x80 | (random[2] & 0x3f);
  return join(time, random);
}

const uuid = (octets) =>
  octets.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');

const recipient = {
  name: '李思',
  phone: '13912345678',
  address: '广东省深圳市福田区福华一路88号21层2103室',
  division: '440304',
};
const sender = {
  docType: 'RESIDENT',
  docNumber: '11010519491231002X',
  name: '张三丰',
  phone: '13800138000',
  address: '贵州省贵阳市南明区中山东路12号3单元1502室',
  division: '520102',
};
const agreement = {
  number: 'AQ-GY-2026-29432',
  uscc: '92520113MA9LR3Y04N',
  phone: '0851-86110135',
  address: '贵州省贵阳市云岩区延安西路311号',
  division: '520103',
};
const common = { carrier: 'SF', outlet: 'GY-0012', goods: 'food' };
const goods = { food: 3 };
const docTypes = { RESIDENT: 1 };

/** A record as JSON and, written by hand from docs/record.cddl, as CBOR. */
function record(name, ms, waybill, who) {
  const id = recordId(name, ms);
  const json = {
    ...{ id: uuid(id), carrier: common.carrier, waybill, takenAt: new Date(ms).toISOString() },
    ...{ outlet: common.outlet, goods: common.goods, ...who, recipient },
  };
  const entries = [
    [1, id],
    [2, json.carrier],
    [3, waybill],
    [4, ms],
    [5, json.outlet],
    [6, goods[json.goods]],
    ...(who.sender ? [[7, senderMap(who.sender)]] : []),
    ...(who.agreement ? [[8, agreementMap(who.agreement)]] : []),
    [11, map([4, recipient.name], ...contact(recipient))],
  ];
  return { id, json, cbor: Buffer.from(encode(new Map(entries))) };
}

const map = (...entries) => new Map(entries);
const contact = ({ phone, address, division }) => [
  [5, phone],
  [6, address],
  [7, Number(division)],
];
const senderMap = ({ docType, docNumber, name, ...rest }) =>
  map([1, docTypes[docType]], [2, docNumber], [4, name], ...contact(rest));
const agreementMap = ({ number, uscc, ...rest }) => map([1, number], [2, uscc], ...contact(rest));

/** `a` is accepted; `b` has a wrong check digit; `c` comes from an agreement customer. */
export const records = {
  a: record('record A', NOW - 60_000, 'SF1234567890123', { sender }),
  b: record('record B', NOW - 50_000, 'SF1234567890124', {
    sender: { ...sender, docNumber: '110105194912310021' },
  }),
  c: record('record C', NOW - 40_000, 'SF1234567890125', { agreement }),
};

/** The masked view of record A, by the rules of docs/rules.md. */
export const masked = Buffer.from(
  encode(
    new Map([
      [1, records.a.id],
      [2, 'SF'],
      [3, 'SF1234567890123'],
      [4, NOW - 60_000],
      [
        7,
        map(
          [1, 1],
          [2, '1****************X'],
          [4, '张**'],
          [5, '*******8000'],
          [6, '贵州省贵阳市南明区中山东路12号***'],
        ),
      ],
      [11, map([4, '李*'], [5, '*******5678'], [6, '广东省深圳市福田区福华一路88号21层***'])],
    ]),
  ),
);

/** The canonical values of record A under which it is indexed. */
export const indexed = {
  document: join(u8(1), zeros(3), sender.docNumber),
  waybill: join(common.carrier, u8(0), records.a.json.waybill),
  'sender phone': Buffer.from(sender.phone),
  'recipient phone': Buffer.from(recipient.phone),
  content: join(enterprise, records.a.id, records.a.cbor),
};
