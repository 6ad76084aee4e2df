/** The section "Worked examples" of docs/wire-format.md, as Markdown. */
import { decode, encode } from 'cborg';
import { AUTHORITY, CITY, enterprise, indexKey, keys, NOW, records } from './inputs.mjs';

const HEADING = '## Worked examples';
const LINE_OCTETS = 40;
/** Zeros at the end of a value are counted instead of written from this many octets on. */
const MANY_ZEROS = 32;

/** The page with its section replaced; the section is the last of the page, and is added where there is none. */
export function withWorkedExamples(page, examples) {
  const at = page.indexOf(`\n${HEADING}\n`);
  const before = at < 0 ? page.trimEnd() : page.slice(0, at).trimEnd();
  return `${before}\n\n${HEADING}\n\n${section(examples)}\n`;
}

function section(all) {
  return [
    INTRODUCTION,
    heading('Keys and values to begin with'),
    inputs(),
    heading('Record'),
    recordsText(),
    heading('Recipient list and certificate'),
    lists(all),
    heading('Key configuration and its statement'),
    keyConfiguration(all),
    heading('Submission'),
    submission(all),
    heading('Stream'),
    stream(all),
    heading('Signature'),
    signature(all),
    heading('Keyed indexes and content tag'),
    indexes(all),
    heading('Epochs'),
    epochs(all),
    heading('Parcels'),
    parcels(all),
    heading('Pull'),
    pull(all),
  ].join('\n\n');
}

const INTRODUCTION = `Every octet of one small story: an enterprise submits record A, then a stream of A, B and C, and the regulator pulls what was
stored first. Computed from this page with \`node:crypto\`, \`@hpke/core\` and \`cborg\`, by nothing of this project
(\`node scripts/gen-wire-examples.mjs\`); \`test/unit/wire-examples.test.ts\` proves that the module and the client make and open the
same octets. All of it, uncut, is in \`test/vectors/wire-examples.json\`. Octets are hexadecimal, with blanks where fields meet.
Nothing in here is secret, and nobody in it exists.`;

function inputs() {
  const text = `What would be drawn at random is fixed: SHA-256 of \`sealpost example: \` and a name (\`root key\`), so that nobody chose it.
The time is ${NOW} (${new Date(NOW).toISOString()}), the city ${CITY}, the edge's authority \`${AUTHORITY}\`.`;
  const rows = Object.values(keys).flatMap(({ name, type, privateKey, publicKey }) => [
    [name, privateKey],
    [`  public, ${type === 'x25519' ? 'X25519' : 'Ed25519'}`, publicKey],
  ]);
  const others = [
    ['enterprise', enterprise],
    ['index key', indexKey],
  ];
  return `${text}\n\n${octets([...rows, ...others])}`;
}

function recordsText() {
  const { a, b, c } = records;
  return [
    'Record A in its JSON form, and its CBOR, key by key:',
    fenced('json', JSON.stringify(a.json, null, 2)),
    octets(entriesOf(a.cbor)),
    `Record B is A with the id \`${b.json.id}\`, the waybill \`${b.json.waybill}\`, taken ten
seconds later, and a document number whose check digit is wrong. Record C comes from an agreement customer:`,
    octets([
      ['record B', b.cbor],
      ['record C', c.cbor],
    ]),
  ].join('\n\n');
}

const NAMES = {
  ...{ 1: 'id', 2: 'carrier', 3: 'waybill', 4: 'taken-at', 5: 'outlet', 6: 'goods category' },
  ...{ 7: 'sender', 11: 'recipient' },
};

/** The head of a map, and each of its entries. */
function entriesOf(cbor) {
  const entries = [...decode(cbor, { useMaps: true })].map(([key, value]) => [
    `${key} ${NAMES[key]}`,
    Buffer.concat([encode(key), encode(value)]),
    [1],
  ]);
  return [[`map of ${entries.length}`, cbor.subarray(0, 1)], ...entries];
}

function lists({ recipientList, certificate }) {
  const entry = [1, 2, 4, 8, 8, 32];
  const kinds = ['reader 1', 'reader 2', 'edge signing key', 'delegate'];
  return [
    octets([
      ['head', recipientList.head, [4, 4, 8, 8, 2]],
      ...recipientList.entries.map((octets, i) => [kinds[i], octets, entry]),
      ['signature', recipientList.signature],
      ['hash of the body', recipientList.hash],
    ]),
    'The list is head, entries and signature. The certificate of the enterprise, by the delegate:',
    octets([
      ['body', certificate.body, [4, 4, 16, 8, 8, 32, 32]],
      ['signature', certificate.signature],
    ]),
  ].join('\n\n');
}

function keyConfiguration({ keyConfiguration: { body, statement, signature, header } }) {
  return [
    octets([
      ['body', body, [2, 1, 2, 32, 2, 2, 2]],
      ['statement', statement, [4, 4, 8, 8, 32]],
      ['signature', signature],
    ]),
    'The header that goes with the body:',
    fenced('text', wrapText(`sealpost-keys-signature: ${header}`)),
  ].join('\n\n');
}

const RESULT = [4, 16, 1, 1, 2, 4, 4];

function submission({ submission: { hdr, enc, info, ciphertext, answer } }) {
  const label = 'message/sealpost-parcel request'.length;
  return [
    'Record A, sealed with the ephemeral key. The body is `hdr`, `enc` and `ciphertext`:',
    octets([
      ['info', info, [label, 1, 7, 1, 16, 16]],
      ['hdr', hdr, [1, 2, 2, 2]],
      ['enc', enc],
      ['ciphertext', ciphertext],
    ]),
    'Its answer is `response nonce` and `ciphertext`. The plaintext is the result (stored) and the padded masked view:',
    octets([
      ['response nonce', answer.responseNonce],
      ...derived(answer),
      ['result', answer.result, RESULT],
      ['length, view, zeros', answer.plaintext.subarray(32), [2]],
      ['ciphertext', answer.ciphertext],
    ]),
  ].join('\n\n');
}

const derived = ({ secret, prk, key, nonce }) => [
  ['secret', secret],
  ['prk', prk],
  ['key', key],
  ['nonce', nonce],
];

function stream({ stream: { hdr, enc, info, chunks, answer } }) {
  const label = 'message/sealpost-parcel chunked request'.length;
  const [first, second, last] = answer.chunks;
  return [
    `Records A and B in the first chunk, record C in the final one. The body is \`hdr\`, \`enc\` and the chunks, here with their
lengths in front:`,
    octets([
      ['info', info, [label, 1, 7, 1, 16, 16]],
      ['hdr', hdr, [1, 2, 2, 2]],
      ['enc', enc],
      ['chunk 0', chunks[0], [2]],
      ['final chunk', chunks[1], [1]],
    ]),
    `The answer: A is there already, B is refused (code 22 \`BAD_CHECK\`, field 72), C is stored; the end says that the stream was read
to its end.`,
    octets([
      ['response nonce', answer.responseNonce],
      ...derived(answer),
      ['results of chunk 0', answer.results[0], [...RESULT, ...RESULT]],
      ['results of chunk 1', answer.results[1], RESULT],
      ['summary', answer.summary, [1, 4, 4, 4, 4, 4, 4]],
      ['chunk 0', first, [2]],
      ['chunk 1', second, [1]],
      ['final chunk', last, [1]],
    ]),
  ].join('\n\n');
}

function signature({ submissionSignature: { base, signature, headers } }) {
  return [
    'The signature base of the submission above, lines joined by a single newline; the last is one line:',
    fenced('text', base.split('\n').map(wrapText).join('\n')),
    octets([['signature', signature]]),
    fenced('text', wrapText(`signature: ${headers.signature}`)),
  ].join('\n\n');
}

function indexes({ indexes: all }) {
  const text =
    'Of record A, under version 323 of the index key. The value of `content` is the enterprise, the record id and the CBOR above.';
  const rows = Object.entries(all).flatMap(([purpose, { value, key, index }]) => [
    ...(purpose === 'content' ? [] : [[purpose, value]]),
    [purpose === 'content' ? 'content: K' : '  K', key],
    [purpose === 'content' ? '  content tag' : '  index', index],
  ]);
  return `${text}\n\n${octets(rows)}`;
}

const PARAMETERS = [4, 2, 1, 1, 16, 16, 4, 8, 8, 4, 32];

function epochs({ epochs: { full, masked } }) {
  const rows = ({ contentKey, p, commit, parcelKey, wraps, signature }) =>
    octets([
      ['CEK', contentKey],
      ['P', p, PARAMETERS],
      ['commit', commit],
      ['parcel key', parcelKey],
      ...wraps.flatMap(({ reader, ephemeral, wrap }) => [
        [`for ${reader.replace('enterprise ', '')}`],
        ['  ephemeral key', ephemeral],
        ['  wrap', wrap, [32, 2, 32, 48]],
      ]),
      ['signer key id', keys.edgeSigning.keyId],
      ['signature', signature],
    ]);
  const wrapsLength = full.wraps.reduce((sum, { wrap }) => sum + wrap.length, 0);
  return [
    `The header of the full view is P, commit, the length of the wraps (\`${hexLength(wrapsLength, 2)}\`), the wraps, signer key id and signature. The edge draws
64 octets (\`draws\` in the JSON) for each epoch and takes epoch id, content key and ephemeral keys from them; how is its own matter.`,
    rows(full),
    'The masked view has one reader, and the enterprise as its audience:',
    rows(masked),
  ].join('\n\n');
}

function parcels({ parcels: { full, masked } }) {
  const head = [4, 2, 2, 1, 1, 16, 8, 16, 16, 8, 4, 2];
  return [
    'Record A is the first parcel of both epochs: sequence 0, nonce of zeros. The full view, `aad` and `ciphertext`:',
    octets([
      ['aad', full.aad, [...head, 16, 16, 16, 16]],
      ['plaintext', full.plaintext, [2]],
      ['ciphertext', full.ciphertext],
    ]),
    'The masked view; its plaintext is that of the answer above:',
    octets([
      ['aad', masked.aad, head],
      ['plaintext', masked.plaintext, [2]],
      ['ciphertext', masked.ciphertext],
    ]),
  ].join('\n\n');
}

function pull({ pullSignature, epochs, commit, end }) {
  return [
    'The request of the regulator has no body. Its signature base and signature:',
    fenced('text', pullSignature.base.split('\n').map(wrapText).join('\n')),
    octets([['signature', pullSignature.signature]]),
    `The answer is three frames: the header of the full epoch (\`01 ${hexLength(epochs.full.header.length)}\` before it), the commit
(\`02 ${hexLength(commit.body.length)}\`) and the end (\`7f ${hexLength(end.body.length + 96)}\`). The commit is writer 1's first, and ends with the full parcel above:`,
    octets([
      ['head', commit.head, [4, 8, 8, 16, 32, 4]],
      ['id, content tag', commit.receipts, [16, 16]],
      ['state, length', commit.parcelHead, [1, 2]],
      ['chain head after it', commit.chainHead],
    ]),
    'The end:',
    octets([
      ['body', end.body, [4, 32, 4, 1, 1, 8, 32, 4, 4, 1, 1, 4, 4, 8, 32]],
      ['signer key id', keys.edgeSigning.keyId],
      ['signature', end.signature],
    ]),
  ].join('\n\n');
}

const hexLength = (length, octets = 4) => length.toString(16).padStart(octets * 2, '0');

const heading = (text) => `### ${text}`;
const fenced = (language, text) => `\`\`\`${language}\n${text}\n\`\`\``;

/** A block of named octet strings. @param rows name, octets, widths of the fields that stand apart */
function octets(rows) {
  const label = (name, { length }) => `${name} (${length})`;
  const width =
    2 + Math.max(...rows.map(([name, value]) => (value ? label(name, value).length : 0)));
  const lines = rows.map(([name, value, widths = []]) => {
    if (value === undefined) return name;
    return wrapped(value, widths)
      .map((line, i) => (i === 0 ? label(name, value) : '').padEnd(width) + line)
      .join('\n');
  });
  return fenced('text', lines.join('\n'));
}

/** Hexadecimal in lines of up to LINE_OCTETS; a field that fits on a line is not torn. */
function wrapped(value, widths) {
  const lines = [];
  let line = '';
  const zeros = zerosAtEnd(value);
  for (const field of fieldsOf(value.subarray(0, value.length - zeros), widths)) {
    const whole = field.length <= LINE_OCTETS ? [field] : pieces(field, line);
    for (const piece of whole) {
      const hex = piece.toString('hex');
      const longer = line === '' ? hex : `${line} ${hex}`;
      if (longer.length > LINE_OCTETS * 2 && line !== '') {
        lines.push(line);
        line = hex;
      } else line = longer;
    }
  }
  return [...lines, line, ...(zeros > 0 ? [`and ${zeros} zeros`] : [])];
}

function zerosAtEnd(value) {
  const count = value.length - 1 - value.findLastIndex((octet) => octet !== 0);
  return count < MANY_ZEROS || count === value.length ? 0 : count;
}

function pieces(field, line) {
  const room = Math.floor((LINE_OCTETS * 2 - line.length - 1) / 2);
  const first = line === '' || room < 8 ? LINE_OCTETS : room;
  const cut = [field.subarray(0, first)];
  for (let at = first; at < field.length; at += LINE_OCTETS) {
    cut.push(field.subarray(at, at + LINE_OCTETS));
  }
  return cut;
}

function fieldsOf(value, widths) {
  const fields = [];
  let at = 0;
  for (const width of widths) {
    fields.push(value.subarray(at, at + width));
    at += width;
  }
  return at < value.length ? [...fields, value.subarray(at)] : fields;
}

/** Text in lines of up to 104 characters; lines that go on are indented, and only the break is to be taken out. */
function wrapText(text) {
  const lines = [text.slice(0, 104)];
  for (let at = 104; at < text.length; at += 102) lines.push(`  ${text.slice(at, at + 102)}`);
  return lines.join('\n');
}
