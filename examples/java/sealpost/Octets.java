package sealpost;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Base64;
import java.util.HexFormat;
import java.util.UUID;

/** Octet strings: joining, integers in network byte order, and their text forms (RFC 4648). */
final class Octets {
    static final byte[] NONE = new byte[0];

    private Octets() {}

    static byte[] join(byte[]... parts) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        for (byte[] part : parts) {
            out.writeBytes(part);
        }
        return out.toByteArray();
    }

    /** A label of the protocol; labels are ASCII. */
    static byte[] ascii(String text) {
        return text.getBytes(StandardCharsets.US_ASCII);
    }

    /** An unsigned integer of a fixed width, big-endian. */
    static byte[] uint(long value, int width) {
        byte[] out = new byte[width];
        for (int i = width - 1; i >= 0; i--) {
            out[i] = (byte) value;
            value >>>= 8;
        }
        return out;
    }

    /** The 16 octets of a UUID (RFC 9562 section 4). */
    static byte[] uuid(UUID id) {
        return join(uint(id.getMostSignificantBits(), 8), uint(id.getLeastSignificantBits(), 8));
    }

    /** The UUID of 16 octets. */
    static UUID toUuid(byte[] octets) {
        ByteBuffer in = ByteBuffer.wrap(octets);
        return new UUID(in.getLong(), in.getLong());
    }

    static byte[] sha256(byte[] data) {
        try {
            return MessageDigest.getInstance("SHA-256").digest(data);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }

    static byte[] fromHex(String text) {
        return HexFormat.of().parseHex(text);
    }

    static String base64(byte[] data) {
        return Base64.getEncoder().encodeToString(data);
    }

    static String base64url(byte[] data) {
        return Base64.getUrlEncoder().withoutPadding().encodeToString(data);
    }

    static byte[] fromBase64url(String text) {
        return Base64.getUrlDecoder().decode(text);
    }

    /** The value of a structured-field byte sequence (RFC 9651 section 3.3.5): base64 between colons. */
    static byte[] fromByteSequence(String field) {
        String text = field.strip();
        if (text.length() < 2 || text.charAt(0) != ':' || text.charAt(text.length() - 1) != ':') {
            throw new IllegalArgumentException("not a byte sequence");
        }
        return Base64.getDecoder().decode(text.substring(1, text.length() - 1));
    }

    static String toByteSequence(byte[] data) {
        return ":" + base64(data) + ":";
    }
}
