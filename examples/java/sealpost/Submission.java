package sealpost;

import java.nio.ByteBuffer;
import java.security.GeneralSecurityException;
import java.util.Arrays;
import java.util.UUID;

/** One record, sealed, and the opening of its answer (docs/wire-format.md section 3). */
final class Submission {
    static final String REQUEST_TYPE = "message/sealpost-parcel-req";
    static final String RESPONSE_TYPE = "message/sealpost-parcel-res";
    private static final String REQUEST_LABEL = "message/sealpost-parcel request";
    private static final String RESPONSE_LABEL = "message/sealpost-parcel response";

    private final Encapsulation encapsulation;
    private final byte[] body;

    Submission(KeyConfiguration key, UUID enterprise, byte[] record)
            throws GeneralSecurityException {
        encapsulation = new Encapsulation(key, enterprise, REQUEST_LABEL);
        body = Octets.join(encapsulation.head(), encapsulation.seal(Octets.NONE, record));
    }

    byte[] head() {
        return encapsulation.head();
    }

    byte[] body() {
        return body.clone();
    }

    /**
     * The judgement about the record.
     *
     * @param view the masked view, CBOR; empty when nothing was stored
     */
    record Answer(Receipt receipt, byte[] view) {}

    /** Throws GeneralSecurityException when the answer does not open. */
    Answer open(byte[] answer) throws GeneralSecurityException {
        if (answer.length < Encapsulation.RESPONSE_NONCE_LENGTH) {
            throw new GeneralSecurityException("the answer is cut off");
        }
        byte[] nonce = Arrays.copyOf(answer, Encapsulation.RESPONSE_NONCE_LENGTH);
        byte[] ciphertext = Arrays.copyOfRange(answer, nonce.length, answer.length);
        byte[] plaintext =
                encapsulation.answerKey(RESPONSE_LABEL, nonce).open(0, Octets.NONE, ciphertext);
        ByteBuffer in = ByteBuffer.wrap(plaintext);
        Receipt receipt = Receipt.read(in);
        byte[] view = new byte[in.getShort() & 0xffff];
        in.get(view);
        return new Answer(receipt, view);
    }
}
