package sealpost;

import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.security.GeneralSecurityException;
import java.security.PublicKey;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * The recipient list (docs/wire-format.md section 8), verified under the pinned root key. A client needs it for one
 * thing: to know the edge's signing key.
 */
final class RecipientList {
    private static final int SIGNATURE_LENGTH = 64;
    private static final byte[] MAGIC = Octets.ascii("SPL1");
    private static final byte[] LABEL = Octets.ascii("sealpost recipient list v1\0");
    private static final long MAX_VALIDITY_MS = 30L * 24 * 3600 * 1000;
    /** Clocks differ: what begins within this time counts as begun. */
    static final long CLOCK_SKEW_MS = 120_000;
    private static final int KIND_EDGE_SIGNING_KEY = 2;
    private static final int ALGORITHM_ED25519 = 0x00ed;

    private record Entry(
            int kind, int algorithm, int city, long notBefore, long notAfter, byte[] publicKey) {}

    private final long version;
    private final byte[] hash;
    private final List<Entry> entries;

    private RecipientList(long version, byte[] hash, List<Entry> entries) {
        this.version = version;
        this.hash = hash;
        this.entries = entries;
    }

    /**
     * Parses and verifies a list.
     *
     * @param now milliseconds since 1970
     * @throws GeneralSecurityException when it is not signed by the root key, or not valid now
     */
    static RecipientList verify(byte[] list, byte[] rootKey, long now)
            throws GeneralSecurityException {
        if (list.length < SIGNATURE_LENGTH) {
            throw new GeneralSecurityException("the recipient list is cut off");
        }
        byte[] body = Arrays.copyOf(list, list.length - SIGNATURE_LENGTH);
        byte[] signature = Arrays.copyOfRange(list, body.length, list.length);
        if (!Ed25519.verify(RawKeys.ed25519(rootKey), Octets.join(LABEL, body), signature)) {
            throw new GeneralSecurityException("the recipient list is not signed by the root key");
        }
        try {
            return parse(body, now);
        } catch (BufferUnderflowException e) {
            throw new GeneralSecurityException("the recipient list is cut off");
        }
    }

    private static RecipientList parse(byte[] body, long now) throws GeneralSecurityException {
        ByteBuffer in = ByteBuffer.wrap(body);
        byte[] magic = new byte[MAGIC.length];
        in.get(magic);
        if (!Arrays.equals(magic, MAGIC)) {
            throw new GeneralSecurityException("not a recipient list");
        }
        long version = in.getInt() & 0xffffffffL;
        long notBefore = in.getLong();
        long notAfter = in.getLong();
        if (now + CLOCK_SKEW_MS < notBefore || now >= notAfter || notAfter - notBefore > MAX_VALIDITY_MS) {
            throw new GeneralSecurityException("the recipient list is not valid now");
        }
        List<Entry> entries = new ArrayList<>();
        for (int count = in.getShort() & 0xffff; count > 0; count--) {
            int kind = in.get() & 0xff;
            int algorithm = in.getShort() & 0xffff;
            int city = in.getInt();
            long from = in.getLong();
            long to = in.getLong();
            byte[] publicKey = new byte[RawKeys.LENGTH];
            in.get(publicKey);
            entries.add(new Entry(kind, algorithm, city, from, to, publicKey));
        }
        if (in.hasRemaining()) {
            throw new GeneralSecurityException("octets behind the recipient list");
        }
        return new RecipientList(version, Octets.sha256(body), entries);
    }

    /** Refuses a list older than one seen before, and another list of the same version. */
    void checkFollows(RecipientList seen) throws GeneralSecurityException {
        if (seen == null || version > seen.version) {
            return;
        }
        if (version < seen.version || !Arrays.equals(hash, seen.hash)) {
            throw new GeneralSecurityException("the recipient list is a step back");
        }
    }

    /**
     * The signing key with this key id, if the list names it for the city (or the whole country, city 0) and now.
     *
     * @throws GeneralSecurityException when it does not
     */
    PublicKey edgeSigningKey(byte[] keyId, int city, long now) throws GeneralSecurityException {
        for (Entry entry : entries) {
            boolean fits =
                    entry.kind == KIND_EDGE_SIGNING_KEY
                            && entry.algorithm == ALGORITHM_ED25519
                            && (entry.city == 0 || entry.city == city)
                            && entry.notBefore <= now
                            && now < entry.notAfter;
            if (fits && Arrays.equals(Octets.sha256(entry.publicKey), keyId)) {
                return RawKeys.ed25519(entry.publicKey);
            }
        }
        throw new GeneralSecurityException("the signer is no edge of this city");
    }
}
