/** The real service for tests: the shipped worker and module on plain workerd, with parties and keys of its own. */
import { generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bundleWorker, ensureWasm, PROJECT_DIR } from '../../client/service/bundle.ts';
import { parseWrangler, toCapnp } from '../../client/service/capnp.ts';
import { freePort, ServiceProcess } from '../../client/service/process.ts';
import { runSetup } from '../../client/service/setup.ts';
import { concat } from '../../wire/bytes.ts';
import { KEM_X25519 } from '../../wire/envelope.ts';
import {
  ALGORITHM_ED25519,
  certificateSigningInput,
  encodeCertificateBody,
  encodeListBody,
  LIST_KIND,
  listSigningInput,
} from '../../wire/recipients.ts';
import {
  type Credentials,
  type EdgeKey,
  keyId,
  rawPublicKey,
  SUITE,
} from './independent-client.ts';

const DAY_MS = 86_400_000;
export const CITY = 520100;

export interface TestParty extends Credentials {
  kind: 'enterprise' | 'regulator';
  publicKey: KeyObject;
  /** Opens what is sealed for this party. */
  reader: CryptoKeyPair;
}

export interface TestService {
  url: string;
  /** Enterprises: `a` signs with Ed25519, `b` with P-256; both have a certificate for their masked view. */
  a: TestParty;
  b: TestParty;
  /** An enterprise without a certificate. */
  plain: TestParty;
  /** National regulator, full view. */
  regulator: TestParty;
  /** The edge's X25519 keys: one that is valid, one that has expired; unless others were asked for. */
  edgeKey: EdgeKey;
  expiredKey: EdgeKey;
  /** Ed25519: signs epochs and ends of pulls. */
  edgeSigning: KeyObject;
  rootKey: KeyObject;
  rootPrivateKey: KeyObject;
  /** What workerd wrote so far. */
  log(): Promise<string>;
  peakRssMb(): number;
  /** Of workerd. Another one after a restart. */
  pid(): number;
  /** Folder of everything that the service writes: `data`, `run`, `workerd.log`. */
  dir: string;
  /** Ends workerd and starts it again with the same store, keys and address. @param between is done while it is down */
  restart(between?: () => void | Promise<void>): Promise<void>;
  stop(): Promise<void>;
}

/** In what a service differs from the usual one. */
export interface TestServiceOptions {
  /** Periods of `edgeKey` (id 1) and `expiredKey` (id 2). */
  edgeKeys?: [Period, Period];
  /** From one time on the index key is another one, of version 2. */
  secondIndexPeriodFrom?: number;
  /** Variables in place of those in wrangler.toml. */
  vars?: Record<string, string>;
  /** Public keys of further enterprises, as they are to be stored. */
  keys?: { algorithm: 'ed25519' | 'ecdsa-p256'; publicKey: Uint8Array }[];
  /** Further arguments of `workerd serve`. */
  workerdArguments?: string[];
}

interface Period {
  notBefore: number;
  notAfter: number;
}

/** Starts a service with an empty store in a folder of its own, which `stop` removes. */
export async function startTestService(options: TestServiceOptions = {}): Promise<TestService> {
  const dir = await mkdtemp(join(tmpdir(), 'sealpost-test-'));
  const [runDir, dataDir] = [join(dir, 'run'), join(dir, 'data')];
  for (const folder of [runDir, dataDir]) await mkdir(folder);
  const now = Date.now();
  const [root, delegate, edge] = [0, 1, 2].map(() => generateKeyPairSync('ed25519')) as [
    KeyPair,
    KeyPair,
    KeyPair,
  ];
  const parties = {
    a: await makeParty('enterprise', generateKeyPairSync('ed25519')),
    b: await makeParty('enterprise', generateKeyPairSync('ec', { namedCurve: 'P-256' })),
    plain: await makeParty('enterprise', generateKeyPairSync('ed25519')),
    regulator: await makeParty('regulator', generateKeyPairSync('ed25519')),
  };
  const controlFile = join(dir, 'control.json');
  const certified = [parties.a, parties.b];
  await writeFile(
    controlFile,
    JSON.stringify({
      parties: [
        ...(await Promise.all(
          Object.values(parties).map(async (party) => ({
            ...controlParty(party),
            ...(certified.includes(party) && {
              certificate: await certificate(party, delegate, now),
            }),
          })),
        )),
        ...(options.keys ?? []).map(({ algorithm, publicKey }) => ({
          ...{ id: base64url(randomBytes(16)), kind: 'enterprise', name: 'further' },
          keys: [{ algorithm, publicKey: base64url(publicKey) }],
        })),
      ],
      recipientList: await recipientList(parties.regulator, root, delegate, edge, now),
    }),
  );

  if (!existsSync(join(PROJECT_DIR, 'wasm/build/sealpost.wasm'))) await ensureWasm();
  const config = parseWrangler(await readFile(join(PROJECT_DIR, 'wrangler.toml'), 'utf8'));
  const modules = await bundleWorker(config.main, 'index', runDir);
  const address = `127.0.0.1:${await freePort()}`;
  const vars = {
    SEALPOST_CITY: String(CITY),
    SEALPOST_AUTHORITY: address,
    SEALPOST_ROOT_KEY: rawPublicKey(root.publicKey).toString('hex'),
    ...options.vars,
  };
  await runSetup({ config, runDir, dataDir, controlFile, vars });
  const [present, past] = options.edgeKeys ?? [
    { notBefore: now - DAY_MS, notAfter: now + DAY_MS },
    { notBefore: 0, notAfter: now - 1 },
  ];
  const edgeKeys = [makeEdgeKey(1, present), makeEdgeKey(2, past)];
  const indexKeys = makeIndexKeys(now, options.secondIndexPeriodFrom);
  const secrets = { SEALPOST_SECRETS: JSON.stringify(edgeSecrets(edgeKeys, edge, indexKeys)) };
  const secretNames = Object.keys(secrets);
  await writeFile(
    join(runDir, 'service.capnp'),
    toCapnp(config, { modules, dataDir, address, vars, secrets: secretNames }),
  );
  const logFile = join(dir, 'workerd.log');
  const url = `http://${address}`;
  const log = () => readFile(logFile, 'utf8');
  const start = async () => {
    const [configuration, args] = ['service.capnp', options.workerdArguments];
    const started = new ServiceProcess({ runDir, configuration, logFile, secrets, args });
    if (!(await started.ready(url))) throw new Error(`the service did not start: ${await log()}`);
    return started;
  };
  let child = await start();
  return {
    ...{ url, log, dir, ...parties },
    edgeKey: edgeKeys[0] as EdgeKey,
    expiredKey: edgeKeys[1] as EdgeKey,
    edgeSigning: edge.publicKey,
    rootKey: root.publicKey,
    rootPrivateKey: root.privateKey,
    peakRssMb: () => child.peakRssMb(),
    pid: () => child.pid,
    async restart(between) {
      await child.stop();
      await between?.();
      child = await start();
    },
    async stop() {
      await child.stop();
      await rm(dir, { recursive: true });
    },
  };
}

interface KeyPair {
  publicKey: KeyObject;
  privateKey: KeyObject;
}

async function makeParty(kind: TestParty['kind'], pair: KeyPair): Promise<TestParty> {
  const reader = (await SUITE.kem.generateKeyPair()) as CryptoKeyPair;
  return { id: new Uint8Array(randomBytes(16)), kind, ...pair, reader };
}

function controlParty({ id, kind, publicKey }: TestParty) {
  const algorithm = publicKey.asymmetricKeyType === 'ed25519' ? 'ed25519' : 'ecdsa-p256';
  return {
    ...{ id: base64url(id), kind, name: kind },
    keys: [{ algorithm, publicKey: base64url(rawPublicKey(publicKey)) }],
  };
}

async function readerKey({ reader }: TestParty): Promise<Uint8Array> {
  return new Uint8Array(await SUITE.kem.serializePublicKey(reader.publicKey));
}

async function certificate(party: TestParty, delegate: KeyPair, now: number): Promise<string> {
  const body = encodeCertificateBody({
    ...{ city: CITY, enterprise: party.id, notBefore: now - DAY_MS, notAfter: now + DAY_MS },
    publicKey: await readerKey(party),
    delegate: keyId(delegate.publicKey),
  });
  const signature = sign(null, certificateSigningInput(body), delegate.privateKey);
  return base64url(concat(body, signature));
}

async function recipientList(
  regulator: TestParty,
  root: KeyPair,
  delegate: KeyPair,
  edge: KeyPair,
  now: number,
): Promise<string> {
  const term = { notBefore: now - DAY_MS, notAfter: now + DAY_MS };
  const ed25519 = { ...term, algorithm: ALGORITHM_ED25519, city: CITY };
  const body = encodeListBody({
    ...{ version: 1, ...term },
    entries: [
      {
        ...{ ...term, kind: LIST_KIND.FULL_VIEW, algorithm: KEM_X25519, city: 0 },
        publicKey: await readerKey(regulator),
      },
      { ...ed25519, kind: LIST_KIND.EDGE_SIGNING, publicKey: rawPublicKey(edge.publicKey) },
      { ...ed25519, kind: LIST_KIND.DELEGATE, publicKey: rawPublicKey(delegate.publicKey) },
    ],
  });
  return base64url(concat(body, sign(null, listSigningInput(body), root.privateKey)));
}

interface TestEdgeKey extends EdgeKey {
  secret: { id: number; privateKey: string; notBefore: number; notAfter: number };
}

function makeEdgeKey(id: number, { notBefore, notAfter }: Period): TestEdgeKey {
  const { privateKey, publicKey } = generateKeyPairSync('x25519');
  const secret = { id, privateKey: seed(privateKey), notBefore, notAfter };
  return { keyId: id, publicKey: new Uint8Array(rawPublicKey(publicKey)), secret };
}

function edgeSecrets(edgeKeys: readonly TestEdgeKey[], edge: KeyPair, indexKeys: unknown[]) {
  return {
    edgeKeys: edgeKeys.map(({ secret }) => secret),
    signingKey: seed(edge.privateKey),
    indexKeys,
  };
}

/** One index key for all times, or a second one from `second` on. */
function makeIndexKeys(now: number, second: number | undefined) {
  const times = [0, ...(second === undefined ? [] : [second]), now + 30 * DAY_MS];
  return times.slice(1).map((untilMs, i) => ({
    ...{ version: i + 1, fromMs: times[i], untilMs },
    key: base64url(randomBytes(32)),
  }));
}

/** The 32 octets of a private key, in base64url. */
function seed(privateKey: KeyObject): string {
  return privateKey.export({ format: 'jwk' }).d as string;
}

function base64url(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64url');
}
