package sealpost;

import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.security.GeneralSecurityException;
import java.util.Arrays;

/**
 * A key of the edge to seal to (RFC 9458 section 3; docs/wire-format.md section 2).
 *
 * @param id the key id in {@code hdr}
 * @param publicKey X25519, 32 octets
 * @param version of the signed statement; it never falls
 * @param notAfter milliseconds since 1970, the end of the statement
 */
record KeyConfiguration(int id, byte[] publicKey, long version, long notAfter) {
    private static final int STATEMENT_LENGTH = 56;
    private static final int SIGNATURE_LENGTH = 64;
    private static final int FIRST_SANDBOX_ID = 128;
    private static final byte[] LABEL = Octets.ascii("sealpost keys v1\0");
    private static final byte[] SUITE =
            Octets.join(Octets.uint(HpkeSender.KDF, 2), Octets.uint(HpkeSender.AEAD, 2));

    /**
     * Takes the first key of {@code GET /v1/keys} whose suite this client has.
     *
     * @param body the key configurations
     * @param signed the octets of the header sealpost-keys-signature
     * @param list verified recipient list, which must name the signer
     * @param now milliseconds since 1970
     * @throws GeneralSecurityException when the statement is forged, for another city or body, or not valid now
     */
    static KeyConfiguration verify(
            byte[] body, byte[] signed, RecipientList list, int city, long now)
            throws GeneralSecurityException {
        if (signed.length != STATEMENT_LENGTH + SIGNATURE_LENGTH) {
            throw new GeneralSecurityException("the statement about the keys has another length");
        }
        byte[] statement = Arrays.copyOf(signed, STATEMENT_LENGTH);
        byte[] signature = Arrays.copyOfRange(signed, STATEMENT_LENGTH, signed.length);
        ByteBuffer in = ByteBuffer.wrap(statement);
        long version = in.getInt() & 0xffffffffL;
        int statedCity = in.getInt();
        long notBefore = in.getLong();
        long notAfter = in.getLong();
        byte[] signer = new byte[32];
        in.get(signer);
        byte[] message = Octets.join(LABEL, statement, Octets.sha256(body));
        if (!Ed25519.verify(list.edgeSigningKey(signer, city, now), message, signature)) {
            throw new GeneralSecurityException("the keys are not signed by the edge");
        }
        boolean begun = notBefore <= now + RecipientList.CLOCK_SKEW_MS;
        if (statedCity != city || !begun || now >= notAfter) {
            throw new GeneralSecurityException("the keys are of another city or time");
        }
        try {
            return parse(body, version, notAfter);
        } catch (BufferUnderflowException e) {
            throw new GeneralSecurityException("the key configurations are cut off");
        }
    }

    /** Whether the key is that of a sandbox, an edge for trying out. */
    boolean isSandbox() {
        return id >= FIRST_SANDBOX_ID;
    }

    /** {@code key id ‖ 0020 ‖ 0001 ‖ 0003}, which begins every sealed body. */
    byte[] header() {
        return Octets.join(
                new byte[] {(byte) id}, Octets.uint(HpkeSender.KEM, 2), SUITE);
    }

    private static KeyConfiguration parse(byte[] body, long version, long notAfter)
            throws GeneralSecurityException {
        ByteBuffer all = ByteBuffer.wrap(body);
        while (all.hasRemaining()) {
            byte[] one = new byte[all.getShort() & 0xffff];
            all.get(one);
            ByteBuffer in = ByteBuffer.wrap(one);
            int id = in.get() & 0xff;
            if (in.getShort() != HpkeSender.KEM) {
                continue;
            }
            byte[] publicKey = new byte[RawKeys.LENGTH];
            in.get(publicKey);
            byte[] suites = new byte[in.getShort() & 0xffff];
            in.get(suites);
            for (int i = 0; i + SUITE.length <= suites.length; i += SUITE.length) {
                if (Arrays.equals(suites, i, i + SUITE.length, SUITE, 0, SUITE.length)) {
                    return new KeyConfiguration(id, publicKey, version, notAfter);
                }
            }
        }
        throw new GeneralSecurityException("the edge has no key of a suite that this client has");
    }
}
