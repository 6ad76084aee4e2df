package sealpost;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.util.Map;
import java.util.UUID;

/**
 * Who submits: the enterprise's id and the Ed25519 key that is registered for it, from the JSON file that the operator
 * hands to each enterprise.
 */
record Enterprise(UUID id, KeyPair signingKey) {
    static Enterprise load(Path file) throws IOException, GeneralSecurityException {
        Map<String, Object> json = Json.readObject(Files.readString(file));
        byte[] seed = Octets.fromBase64url((String) json.get("signingKey"));
        return new Enterprise(UUID.fromString((String) json.get("id")), RawKeys.ed25519FromSeed(seed));
    }
}
