package sealpost;

import java.security.GeneralSecurityException;
import javax.crypto.Cipher;
import javax.crypto.spec.IvParameterSpec;
import javax.crypto.spec.SecretKeySpec;

/** ChaCha20-Poly1305 (RFC 8439 section 2.8): the ciphertext ends with its 16 octets of tag. */
final class Aead {
    static final int TAG_LENGTH = 16;

    private Aead() {}

    static byte[] seal(byte[] key, byte[] nonce, byte[] aad, byte[] plaintext)
            throws GeneralSecurityException {
        return run(Cipher.ENCRYPT_MODE, key, nonce, aad, plaintext);
    }

    /** Throws javax.crypto.AEADBadTagException when the ciphertext does not open. */
    static byte[] open(byte[] key, byte[] nonce, byte[] aad, byte[] ciphertext)
            throws GeneralSecurityException {
        return run(Cipher.DECRYPT_MODE, key, nonce, aad, ciphertext);
    }

    /** The nonce of message {@code sequence}: its number XORed into the last 8 octets (RFC 9180 section 5.2). */
    static byte[] nonce(byte[] base, long sequence) {
        byte[] nonce = base.clone();
        byte[] number = Octets.uint(sequence, nonce.length);
        for (int i = 0; i < nonce.length; i++) {
            nonce[i] ^= number[i];
        }
        return nonce;
    }

    private static byte[] run(int mode, byte[] key, byte[] nonce, byte[] aad, byte[] input)
            throws GeneralSecurityException {
        Cipher cipher = Cipher.getInstance("ChaCha20-Poly1305");
        cipher.init(mode, new SecretKeySpec(key, "ChaCha20"), new IvParameterSpec(nonce));
        cipher.updateAAD(aad);
        return cipher.doFinal(input);
    }
}
