package sealpost;

import java.security.GeneralSecurityException;
import java.util.Arrays;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

/** HKDF with SHA-256 (RFC 5869). */
final class Hkdf {
    private static final int HASH_LENGTH = 32;

    private Hkdf() {}

    /** HKDF-Extract, RFC 5869 section 2.2. */
    static byte[] extract(byte[] salt, byte[] inputKey) throws GeneralSecurityException {
        return hmac(salt, inputKey);
    }

    /** HKDF-Expand, RFC 5869 section 2.3. */
    static byte[] expand(byte[] key, byte[] info, int length) throws GeneralSecurityException {
        byte[] out = Octets.NONE;
        byte[] block = Octets.NONE;
        for (int counter = 1; out.length < length; counter++) {
            block = hmac(key, Octets.join(block, info, new byte[] {(byte) counter}));
            out = Octets.join(out, block);
        }
        return Arrays.copyOf(out, length);
    }

    /** HMAC pads its key with zeros (RFC 2104), so 32 zeros stand for the empty key, which the JDK does not take. */
    private static byte[] hmac(byte[] key, byte[] data) throws GeneralSecurityException {
        Mac mac = Mac.getInstance("HmacSHA256");
        mac.init(new SecretKeySpec(key.length == 0 ? new byte[HASH_LENGTH] : key, "HmacSHA256"));
        return mac.doFinal(data);
    }
}
