package sealpost;

import java.security.GeneralSecurityException;
import java.security.PrivateKey;
import java.security.PublicKey;
import java.security.Signature;
import java.security.SignatureException;

/** Ed25519 signatures (RFC 8032 section 5.1), 64 octets. */
final class Ed25519 {
    private Ed25519() {}

    static byte[] sign(PrivateKey key, byte[] message) throws GeneralSecurityException {
        Signature signature = Signature.getInstance("Ed25519");
        signature.initSign(key);
        signature.update(message);
        return signature.sign();
    }

    static boolean verify(PublicKey key, byte[] message, byte[] octets)
            throws GeneralSecurityException {
        Signature signature = Signature.getInstance("Ed25519");
        signature.initVerify(key);
        signature.update(message);
        try {
            return signature.verify(octets);
        } catch (SignatureException e) {
            return false; // The JDK throws for octets that are no signature at all.
        }
    }
}
