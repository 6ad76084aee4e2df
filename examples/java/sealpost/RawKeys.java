package sealpost;

import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.PublicKey;
import java.security.SecureRandom;
import java.security.interfaces.EdECPrivateKey;
import java.security.spec.NamedParameterSpec;
import java.security.spec.X509EncodedKeySpec;
import java.util.Arrays;

/**
 * X25519 (RFC 7748) and Ed25519 (RFC 8032) keys as the 32 octets that the wire format uses. The JDK wants public keys
 * in SubjectPublicKeyInfo, which for these curves is a fixed prefix before the 32 octets (RFC 8410 section 4).
 */
final class RawKeys {
    static final int LENGTH = 32;
    private static final byte[] X25519_PREFIX = Octets.fromHex("302a300506032b656e032100");
    private static final byte[] ED25519_PREFIX = Octets.fromHex("302a300506032b6570032100");

    private RawKeys() {}

    static PublicKey x25519(byte[] raw) throws GeneralSecurityException {
        return publicKey("X25519", X25519_PREFIX, raw);
    }

    static PublicKey ed25519(byte[] raw) throws GeneralSecurityException {
        return publicKey("Ed25519", ED25519_PREFIX, raw);
    }

    /** The 32 octets of an X25519 or Ed25519 public key. */
    static byte[] raw(PublicKey key) {
        byte[] encoded = key.getEncoded();
        return Arrays.copyOfRange(encoded, encoded.length - LENGTH, encoded.length);
    }

    /** A key id: SHA-256 of the 32 octets. */
    static byte[] id(PublicKey key) {
        return Octets.sha256(raw(key));
    }

    /**
     * The key pair of an Ed25519 seed, the private key of RFC 8032 section 5.1.5. The JDK has no call that derives the
     * public key; its generator does, from the 32 octets it draws, so it is given the seed to draw.
     */
    static KeyPair ed25519FromSeed(byte[] seed) throws GeneralSecurityException {
        if (seed.length != LENGTH) {
            throw new IllegalArgumentException("an Ed25519 seed has 32 octets");
        }
        KeyPairGenerator generator = KeyPairGenerator.getInstance("Ed25519");
        generator.initialize(NamedParameterSpec.ED25519, new FixedDraw(seed));
        KeyPair pair = generator.generateKeyPair();
        byte[] drawn = ((EdECPrivateKey) pair.getPrivate()).getBytes().orElseThrow();
        if (!Arrays.equals(drawn, seed)) {
            throw new GeneralSecurityException("this provider does not take the seed as the private key");
        }
        return pair;
    }

    private static PublicKey publicKey(String algorithm, byte[] prefix, byte[] raw)
            throws GeneralSecurityException {
        if (raw.length != LENGTH) {
            throw new IllegalArgumentException("a public key has 32 octets");
        }
        return KeyFactory.getInstance(algorithm)
                .generatePublic(new X509EncodedKeySpec(Octets.join(prefix, raw)));
    }

    private static final class FixedDraw extends SecureRandom {
        private static final long serialVersionUID = 1L;
        private final transient byte[] octets;

        FixedDraw(byte[] octets) {
            this.octets = octets.clone();
        }

        @Override
        public void nextBytes(byte[] out) {
            if (out.length != octets.length) {
                throw new IllegalStateException("unexpected draw");
            }
            System.arraycopy(octets, 0, out, 0, out.length);
        }
    }
}
