/** The only place where things are made: once in the life of an isolate. */
import type { ControlStore } from '../../db/control.ts';
import { D1ControlStore } from '../../db/d1/control.ts';
import { D1ParcelStore } from '../../db/d1/parcels.ts';
import type { ParcelStore } from '../../db/parcels.ts';
import wasm from '../../wasm/build/sealpost.wasm';
import { Session } from '../../wasm/host/session.ts';
import type { Mode } from '../../wire/keys.ts';
import type { AuthParts } from './auth.ts';
import { checkEnvironment, type Environment, type Patience, type RawEnv } from './env.ts';
import { KeyDirectory, type PublicEdgeKey } from './keys.ts';
import { ed25519Signer } from './pipeline/ed25519.ts';
import { EpochKeeper } from './pipeline/epochs.ts';
import type { ErasureParts } from './pipeline/erase.ts';
import { Failure } from './pipeline/failure.ts';
import { Gate } from './pipeline/gate.ts';
import { InFlight } from './pipeline/in-flight.ts';
import type { Append, Ingest } from './pipeline/ingest.ts';
import { PULL_LIMITS } from './pipeline/limits.ts';
import { PolicyKeeper } from './pipeline/policy.ts';
import type { PullParts } from './pipeline/pull.ts';
import { RecipientKeeper } from './pipeline/recipients.ts';
import { KnownSigners } from './signers.ts';
import { writerName } from './writer-name.ts';

/** What the routes work with. */
export interface Deps {
  mode: Mode;
  clock: () => number;
  patience: Patience;
  auth: AuthParts;
  keys: KeyDirectory;
  recipients: RecipientKeeper;
  ingest: Ingest;
  pull: PullParts;
  erasure: ErasureParts;
}

let made: Promise<Deps> | undefined;

/** The parts of this isolate; its environment never changes. @throws EnvironmentError, at every call */
export function dependencies(raw: RawEnv): Promise<Deps> {
  made ??= make(raw);
  return made;
}

async function make(raw: RawEnv): Promise<Deps> {
  const environment = checkEnvironment(raw);
  const { city, authority, rootKey, minListVersion } = environment;
  const clock = () => Date.now();
  const control: ControlStore = new D1ControlStore(environment.db);
  const store: ParcelStore = new D1ParcelStore(environment.db);
  const signer = await ed25519Signer(environment.signingKey);
  const { session, publicKeys } = startSession(environment);
  const recipients = new RecipientKeeper(control, { rootKey, minVersion: minListVersion });
  const policies = new PolicyKeeper(control, city);
  const epochs = new EpochKeeper({ session, recipients, policies, control, signer, city });
  return {
    clock,
    mode: environment.mode,
    patience: environment.patience,
    auth: { control, signers: new KnownSigners(control, clock), authority, clock },
    keys: new KeyDirectory(city, signer, publicKeys),
    recipients,
    ingest: { session, epochs, append: appendTo(environment), inFlight: new InFlight(), clock },
    pull: { store, signer, city, gate: new Gate(PULL_LIMITS, clock) },
    erasure: { store, signer, city },
  };
}

function startSession({ city, edgeKeys, indexKeys }: Environment) {
  const publicKeys: PublicEdgeKey[] = [];
  const session = new Session(wasm, city, (fresh) => {
    publicKeys.length = 0;
    for (const { id, privateKey, notBefore, notAfter } of edgeKeys) {
      const publicKey = fresh.setEdgeKey(id, privateKey, notBefore, notAfter);
      publicKeys.push({ id, publicKey, notBefore, notAfter });
    }
    for (const { key, ...period } of indexKeys) fresh.setIndexKey(period, key);
  });
  return { session, publicKeys };
}

/** The writer of a node is a Durable Object of that name: one in the world, so each chain grows serially. */
function appendTo({ writers, node, city }: Environment): Append {
  const id = writers.idFromName(writerName({ node, city }));
  return async (enterprise, epochs, batch) => {
    const writer = writers.get(id);
    try {
      return await writer.append({ node, city, enterprise }, epochs, batch);
    } catch (error) {
      const full = error instanceof Error && error.name === 'StoreFullError';
      throw new Failure(full ? 'store_full' : 'unavailable', error);
    }
  };
}
