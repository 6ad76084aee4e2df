package sealpost;

import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.SecureRandom;
import java.util.LinkedHashMap;
import java.util.Map;

/** HTTP message signatures (RFC 9421) in the one form of docs/wire-format.md section 5. */
final class RequestSignature {
    private static final int VALIDITY_SECONDS = 60;
    private static final SecureRandom RANDOM = new SecureRandom();

    private final KeyPair key;
    private final String authority;

    RequestSignature(KeyPair key, String authority) {
        this.key = key;
        this.authority = authority;
    }

    /** The digest of a body (RFC 9530). Streams have none: each of their chunks is authenticated. */
    static String contentDigest(byte[] body) {
        return "sha-256=" + Octets.toByteSequence(Octets.sha256(body));
    }

    /**
     * The headers that sign a sealed request, its content type among them.
     *
     * @param digest from contentDigest, or null for a stream
     * @param head the first 39 octets of the body
     * @param now seconds since 1970
     */
    Map<String, String> headers(
            String path, String contentType, String digest, byte[] head, long now)
            throws GeneralSecurityException {
        Map<String, String> headers = new LinkedHashMap<>();
        headers.put("content-type", contentType);
        if (digest != null) {
            headers.put("content-digest", digest);
        }
        headers.put("sealpost-encapsulation", Octets.toByteSequence(head));

        Map<String, String> components = new LinkedHashMap<>();
        components.put("@method", "POST");
        components.put("@authority", authority);
        components.put("@path", path);
        components.putAll(headers);

        String params = parameters(components, now);
        StringBuilder base = new StringBuilder();
        components.forEach((name, value) ->
                base.append('"').append(name).append("\": ").append(value).append('\n'));
        base.append("\"@signature-params\": ").append(params);
        byte[] signature =
                Ed25519.sign(key.getPrivate(), base.toString().getBytes(StandardCharsets.US_ASCII));

        headers.put("signature-input", "sealpost=" + params);
        headers.put("signature", "sealpost=" + Octets.toByteSequence(signature));
        return headers;
    }

    private String parameters(Map<String, String> components, long now) {
        byte[] nonce = new byte[16];
        RANDOM.nextBytes(nonce);
        return "(\"" + String.join("\" \"", components.keySet()) + "\")"
                + ";created=" + now
                + ";expires=" + (now + VALIDITY_SECONDS)
                + ";nonce=\"" + Octets.base64url(nonce) + "\""
                + ";keyid=\"" + Octets.base64url(RawKeys.id(key.getPublic())) + "\""
                + ";tag=\"sealpost-v1\"";
    }
}
