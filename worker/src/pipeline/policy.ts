/**
 * The phase of this edge's city. Whatever is not a valid policy means that real-name registration is enforced: a store that
 * proposes something else than a good one can't open the gate.
 */
import type { ControlStore } from '../../../db/control.ts';
import { equalBytes } from '../../../wire/bytes.ts';
import {
  type CityPolicy,
  inTrial,
  parseSignedPolicy,
  policySigningInput,
} from '../../../wire/policy.ts';
import { LIST_KIND, type RecipientList, validEntries } from '../../../wire/recipients.ts';
import { verifyEd25519 } from './ed25519.ts';
import { fromStore } from './failure.ts';
import { LIST_REREAD_MS } from './limits.ts';

/**
 * A city's policy, if a delegate of the city signed it. The policy's own times are still to be looked at.
 * @param now milliseconds since 1970, at which the delegate must be one
 */
export async function verifyPolicy(
  bytes: Uint8Array,
  list: RecipientList,
  city: number,
  now: number,
): Promise<CityPolicy | undefined> {
  const parsed = attempt(() => parseSignedPolicy(bytes));
  if (parsed === undefined || parsed.policy.city !== city) return undefined;
  const input = policySigningInput(parsed.body);
  for (const { publicKey } of validEntries(list, LIST_KIND.DELEGATE, city, now)) {
    if (await verifyEd25519(publicKey, parsed.signature, input)) return parsed.policy;
  }
  return undefined;
}

/** A policy that was verified, as it was signed. */
interface Verified {
  policy: CityPolicy;
  signed: Uint8Array;
}

interface Known {
  /** Of the list whose delegates were asked. */
  listName: string;
  rereadMs: number;
  verified: Verified | undefined;
}

/** Holds the policy of one isolate and reads it again every LIST_REREAD_MS, and at every change of the recipient list. */
export class PolicyKeeper {
  readonly #control: Pick<ControlStore, 'cityPolicy'>;
  readonly #city: number;
  #known: Known | undefined;
  /** The newest policy ever taken here: an older one is a step back. */
  #newest: Verified | undefined;

  constructor(control: Pick<ControlStore, 'cityPolicy'>, city: number) {
    this.#control = control;
    this.#city = city;
  }

  /**
   * Is the city in trial at `now` (ms)?
   * @param terms the recipient list that holds, and a name of it that changes with its content
   * @throws Failure unavailable when the store can't be asked
   */
  async inTrial(terms: { list: RecipientList; name: string }, now: number): Promise<boolean> {
    let known = this.#known;
    if (known === undefined || known.listName !== terms.name || now >= known.rereadMs) {
      known = await this.#read(terms, now);
    }
    return known.verified !== undefined && inTrial(known.verified.policy, now);
  }

  async #read({ list, name }: { list: RecipientList; name: string }, now: number): Promise<Known> {
    const before = this.#newest;
    const signed = await fromStore(this.#control.cityPolicy(this.#city));
    const policy = signed && (await verifyPolicy(signed, list, this.#city, now));
    const proposed = signed && policy && { policy, signed };
    if (proposed && this.#newest !== before && this.#known && isStepBack(proposed, this.#newest)) {
      return this.#known; // overtaken by another request, which read later
    }
    const verified = proposed && !isStepBack(proposed, this.#newest) ? proposed : undefined;
    this.#newest = verified ?? this.#newest;
    this.#known = { listName: name, rereadMs: now + LIST_REREAD_MS, verified };
    return this.#known;
  }
}

/** Of a lower version, or of the same version with other content. */
function isStepBack({ policy, signed }: Verified, newest: Verified | undefined): boolean {
  if (newest === undefined || policy.version > newest.policy.version) return false;
  return policy.version < newest.policy.version || !equalBytes(signed, newest.signed);
}

function attempt<T>(parse: () => T): T | undefined {
  try {
    return parse();
  } catch {
    return undefined;
  }
}
