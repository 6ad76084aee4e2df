package sealpost;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;

/**
 * What a client knows of its edge beforehand and pins: the city (division code of GB/T 2260), the authority that is
 * signed in every request, the root key that recipient lists are signed with, and whether it is a sandbox.
 */
record EdgeIdentity(int city, String authority, byte[] rootKey, boolean sandbox) {
    static EdgeIdentity load(Path file) throws IOException {
        Map<String, Object> json = Json.readObject(Files.readString(file));
        return new EdgeIdentity(
                Math.toIntExact((Long) json.get("city")),
                (String) json.get("authority"),
                Octets.fromHex((String) json.get("rootKey")),
                "sandbox".equals(json.get("mode")));
    }

    EdgeIdentity withAuthority(String other) {
        return new EdgeIdentity(city, other, rootKey, sandbox);
    }
}
