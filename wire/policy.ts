/**
 * The policy of a city: until when it tries real-name registration out, and from when it is enforced. Signed by a delegate
 * of the city, who stands in the recipient list, so that neither a store nor an edge can prolong a trial.
 */
import { concat, FormatError, Reader, u32, u64, utf8 } from './bytes.ts';
import { MAX_POLICY_VALIDITY_MS } from './limits.ts';

export interface CityPolicy {
  /** Division code. */
  city: number;
  /** Rises with every new policy of the city. */
  version: number;
  /** Milliseconds since 1970: the policy says nothing before the first and from the second on. */
  notBefore: number;
  notAfter: number;
  /** From then on records are refused for what a trial lets pass (wire/codes.ts, TRIAL_REFUSALS). */
  enforcedFrom: number;
}

const POLICY_MAGIC = utf8('SPY1');
const POLICY_SIGN_LABEL = 'sealpost city policy v1';
const SIGNATURE_BYTES = 64;

/** "SPY1" ‖ city (4) ‖ version (4) ‖ not before (8) ‖ not after (8) ‖ enforced from (8) */
export function encodePolicyBody(policy: CityPolicy): Uint8Array {
  return concat(
    POLICY_MAGIC,
    u32(policy.city),
    u32(policy.version),
    u64(policy.notBefore),
    u64(policy.notAfter),
    u64(policy.enforcedFrom),
  );
}

/** What the delegate signs, given the body. */
export function policySigningInput(body: Uint8Array): Uint8Array<ArrayBuffer> {
  return concat(utf8(POLICY_SIGN_LABEL), Uint8Array.of(0), body);
}

/** A policy as stored: body (36) ‖ signature (64). @throws FormatError, also when it is to hold for too long */
export function parseSignedPolicy(bytes: Uint8Array): {
  policy: CityPolicy;
  body: Uint8Array;
  signature: Uint8Array;
} {
  const reader = new Reader(bytes);
  reader.expect(POLICY_MAGIC);
  const policy: CityPolicy = {
    city: reader.u32(),
    version: reader.u32(),
    notBefore: reader.u64(),
    notAfter: reader.u64(),
    enforcedFrom: reader.u64(),
  };
  const body = bytes.subarray(0, bytes.length - reader.left);
  const signature = reader.bytes(SIGNATURE_BYTES);
  reader.end();
  if (policy.notAfter - policy.notBefore > MAX_POLICY_VALIDITY_MS) throw new FormatError();
  return { policy, body, signature };
}

/** Is the city in trial at `now` (ms)? Never outside the policy's own time. */
export function inTrial(policy: CityPolicy, now: number): boolean {
  return policy.notBefore <= now && now < policy.notAfter && now < policy.enforcedFrom;
}
