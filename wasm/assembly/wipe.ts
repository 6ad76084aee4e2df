/** The end of every call: nothing of the message and no key of it stays in memory. */
import { wipeAead } from './aead';
import { wipe } from './bytes';
import { wipeChacha20 } from './chacha20';
import { wipeHkdf } from './hkdf';
import { wipeHmac } from './hmac';
import { wipeHpke } from './hpke';
import { wipeRandom } from './random';
import { wipeSha256 } from './sha256';
import { wipeX25519 } from './x25519';

/** Scratch of the primitives. */
export function wipePrimitives(): void {
  wipeHpke();
  wipeX25519();
  wipeAead();
  wipeChacha20();
  wipeHkdf();
  wipeHmac();
  wipeSha256();
  wipeRandom();
}

/** Scratch of the primitives, and the part of the input buffer that was used. */
export function wipeCall(input: usize, length: usize): void {
  wipePrimitives();
  wipe(input, length);
}
