package sealpost;

import java.security.GeneralSecurityException;
import java.util.UUID;

/**
 * One encapsulated request and the keys of its answer (RFC 9458 sections 4.3 and 4.4 under the labels of
 * docs/wire-format.md section 3). Single submissions and streams differ in labels and framing only. It is made anew for
 * every request, retries included: nothing is ever sealed again under an old context.
 */
final class Encapsulation {
    static final int RESPONSE_NONCE_LENGTH = 32;
    private static final byte[] NO_DEVICE = new byte[16];

    private final HpkeSender context;
    private final byte[] head;

    Encapsulation(KeyConfiguration key, UUID enterprise, String requestLabel)
            throws GeneralSecurityException {
        byte[] header = key.header();
        byte[] info =
                Octets.join(
                        Octets.ascii(requestLabel),
                        new byte[] {0},
                        header,
                        new byte[] {1},
                        Octets.uuid(enterprise),
                        NO_DEVICE);
        this.context = HpkeSender.setup(key.publicKey(), info);
        this.head = Octets.join(header, context.enc());
    }

    /** {@code hdr ‖ enc}, 39 octets: they begin the body and are signed as {@code sealpost-encapsulation}. */
    byte[] head() {
        return head.clone();
    }

    byte[] seal(byte[] aad, byte[] plaintext) throws GeneralSecurityException {
        return context.seal(aad, plaintext);
    }

    /** The answer's keys, from its first 32 octets (RFC 9458 section 4.4). */
    AnswerKey answerKey(String responseLabel, byte[] responseNonce)
            throws GeneralSecurityException {
        byte[] secret = context.export(Octets.ascii(responseLabel), 32);
        byte[] prk = Hkdf.extract(Octets.join(context.enc(), responseNonce), secret);
        return new AnswerKey(
                Hkdf.expand(prk, Octets.ascii("key"), 32),
                Hkdf.expand(prk, Octets.ascii("nonce"), 12));
    }

    /** Opens the sealed parts of one answer; a single answer is its part 0. */
    record AnswerKey(byte[] key, byte[] nonce) {
        byte[] open(long part, byte[] aad, byte[] ciphertext) throws GeneralSecurityException {
            return Aead.open(key, Aead.nonce(nonce, part), aad, ciphertext);
        }
    }
}
