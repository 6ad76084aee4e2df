package sealpost;

import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import javax.crypto.KeyAgreement;

/**
 * The sender's side of HPKE in base mode (RFC 9180), for the one suite of the protocol: DHKEM(X25519, HKDF-SHA256),
 * HKDF-SHA256, ChaCha20-Poly1305. A context is for one request and for one thread.
 */
final class HpkeSender {
    static final int KEM = 0x0020;
    static final int KDF = 0x0001;
    static final int AEAD = 0x0003;

    private static final byte[] VERSION = Octets.ascii("HPKE-v1");
    private static final byte[] KEM_SUITE =
            Octets.join(Octets.ascii("KEM"), Octets.uint(KEM, 2));
    private static final byte[] SUITE =
            Octets.join(
                    Octets.ascii("HPKE"),
                    Octets.uint(KEM, 2),
                    Octets.uint(KDF, 2),
                    Octets.uint(AEAD, 2));

    private final byte[] enc;
    private final byte[] key;
    private final byte[] baseNonce;
    private final byte[] exporterSecret;
    private long sequence;

    private HpkeSender(byte[] enc, byte[] sharedSecret, byte[] info)
            throws GeneralSecurityException {
        this.enc = enc;
        // RFC 9180 section 5.1, KeySchedule with mode_base (0) and neither psk nor psk_id.
        byte[] context =
                Octets.join(
                        new byte[] {0},
                        extract(SUITE, Octets.NONE, "psk_id_hash", Octets.NONE),
                        extract(SUITE, Octets.NONE, "info_hash", info));
        byte[] secret = extract(SUITE, sharedSecret, "secret", Octets.NONE);
        this.key = expand(SUITE, secret, "key", context, 32);
        this.baseNonce = expand(SUITE, secret, "base_nonce", context, 12);
        this.exporterSecret = expand(SUITE, secret, "exp", context, 32);
    }

    /** SetupBaseS of RFC 9180 section 5.1.1, with Encap of section 4.1 and a fresh ephemeral key. */
    static HpkeSender setup(byte[] recipientKey, byte[] info) throws GeneralSecurityException {
        KeyPair ephemeral = KeyPairGenerator.getInstance("X25519").generateKeyPair();
        KeyAgreement agreement = KeyAgreement.getInstance("X25519");
        agreement.init(ephemeral.getPrivate());
        // Throws when the key has small order, as RFC 7748 section 6.1 asks for.
        agreement.doPhase(RawKeys.x25519(recipientKey), true);
        byte[] enc = RawKeys.raw(ephemeral.getPublic());
        byte[] dh = agreement.generateSecret();
        byte[] prk = extract(KEM_SUITE, Octets.NONE, "eae_prk", dh);
        byte[] kemContext = Octets.join(enc, recipientKey);
        return new HpkeSender(enc, expand(KEM_SUITE, prk, "shared_secret", kemContext, 32), info);
    }

    /** The encapsulated key, 32 octets. */
    byte[] enc() {
        return enc.clone();
    }

    /** ContextS.Seal of RFC 9180 section 5.2; each call takes the next sequence number. */
    byte[] seal(byte[] aad, byte[] plaintext) throws GeneralSecurityException {
        return Aead.seal(key, Aead.nonce(baseNonce, sequence++), aad, plaintext);
    }

    /** Context.Export of RFC 9180 section 5.3. */
    byte[] export(byte[] context, int length) throws GeneralSecurityException {
        return expand(SUITE, exporterSecret, "sec", context, length);
    }

    /** LabeledExtract of RFC 9180 section 4. */
    private static byte[] extract(byte[] suite, byte[] salt, String label, byte[] inputKey)
            throws GeneralSecurityException {
        return Hkdf.extract(salt, Octets.join(VERSION, suite, Octets.ascii(label), inputKey));
    }

    /** LabeledExpand of RFC 9180 section 4. */
    private static byte[] expand(byte[] suite, byte[] key, String label, byte[] info, int length)
            throws GeneralSecurityException {
        byte[] labeled =
                Octets.join(Octets.uint(length, 2), VERSION, suite, Octets.ascii(label), info);
        return Hkdf.expand(key, labeled, length);
    }
}
