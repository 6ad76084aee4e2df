package sealpost;

import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublisher;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.function.BiConsumer;

/**
 * The routes of an edge that an enterprise's system needs (docs/edge-api.md). Not for several threads at once.
 *
 * <p>The newest recipient list and key configuration seen are kept, and a step back from them is refused. They are
 * kept in memory: a system that restarts often should store them.
 */
final class EdgeClient {
    private static final Duration TIMEOUT = Duration.ofSeconds(60);
    private static final Duration STREAM_TIMEOUT = Duration.ofMinutes(10);
    /** A key is fetched again this long before its statement ends, so that requests under way are still in time. */
    private static final long KEY_MARGIN_MS = 5 * 60 * 1000;

    private final URI base;
    private final EdgeIdentity edge;
    private final Enterprise enterprise;
    private final RequestSignature signer;
    private final HttpClient http =
            HttpClient.newBuilder()
                    .version(HttpClient.Version.HTTP_1_1)
                    .connectTimeout(TIMEOUT)
                    .followRedirects(HttpClient.Redirect.NEVER)
                    .build();
    private RecipientList list;
    private KeyConfiguration key;
    private boolean keyIsStale = true;

    EdgeClient(URI base, EdgeIdentity edge, Enterprise enterprise) {
        this.base = base;
        this.edge = edge;
        this.enterprise = enterprise;
        this.signer = new RequestSignature(enterprise.signingKey(), edge.authority());
    }

    /**
     * Submits one record.
     *
     * @param record its CBOR
     * @throws EdgeException when the edge refused the request; whether the record was stored may be unknown, and
     *     sending it again is safe
     * @throws GeneralSecurityException when a key or an answer is not genuine
     */
    Submission.Answer submit(byte[] record)
            throws IOException, InterruptedException, GeneralSecurityException, EdgeException {
        Submission submission = new Submission(currentKey(), enterprise.id(), record);
        byte[] body = submission.body();
        HttpRequest request =
                post("/v1/parcels", Submission.REQUEST_TYPE, RequestSignature.contentDigest(body),
                        submission.head(), BodyPublishers.ofByteArray(body), TIMEOUT);
        HttpResponse<InputStream> response = http.send(request, BodyHandlers.ofInputStream());
        try (InputStream in = response.body()) {
            expectType(response, Submission.RESPONSE_TYPE);
            return submission.open(in.readAllBytes());
        }
    }

    /**
     * Sends records in one stream: all of them first, then it reads.
     *
     * @param records CBOR each, at most RecordStream.MAX_RECORDS
     * @param receipts takes the index of a record and its receipt, as they open
     * @return the edge's own summary
     * @throws IOException when the connection or the answer broke off: receipts handed over stay valid, all other
     *     records are to be sent again
     */
    RecordStream.Summary stream(List<byte[]> records, BiConsumer<Integer, Receipt> receipts)
            throws IOException, InterruptedException, GeneralSecurityException, EdgeException {
        RecordStream stream = new RecordStream(currentKey(), enterprise.id(), records);
        HttpRequest request =
                post("/v1/parcels/stream", RecordStream.REQUEST_TYPE, null, stream.head(),
                        BodyPublishers.ofByteArrays(stream.body()), STREAM_TIMEOUT);
        HttpResponse<InputStream> response = http.send(request, BodyHandlers.ofInputStream());
        try (InputStream in = response.body()) {
            expectType(response, RecordStream.RESPONSE_TYPE);
            return stream.open(in, receipts);
        }
    }

    private HttpRequest post(
            String path, String type, String digest, byte[] head, BodyPublisher body, Duration timeout)
            throws GeneralSecurityException {
        long seconds = System.currentTimeMillis() / 1000;
        HttpRequest.Builder request =
                HttpRequest.newBuilder(base.resolve(path)).timeout(timeout).POST(body);
        Map<String, String> headers = signer.headers(path, type, digest, head, seconds);
        headers.forEach(request::header);
        return request.build();
    }

    /** The key to seal to: root key, then recipient list, then the edge's signing key, then its statement. */
    private KeyConfiguration currentKey()
            throws IOException, InterruptedException, GeneralSecurityException, EdgeException {
        long now = System.currentTimeMillis();
        if (!keyIsStale && now < key.notAfter() - KEY_MARGIN_MS) {
            return key;
        }
        RecipientList newList =
                RecipientList.verify(get("/v1/recipients").body(), edge.rootKey(), now);
        newList.checkFollows(list);
        HttpResponse<byte[]> keys = get("/v1/keys");
        byte[] signed =
                Octets.fromByteSequence(keys.headers().firstValue("sealpost-keys-signature").orElse(""));
        KeyConfiguration newKey =
                KeyConfiguration.verify(keys.body(), signed, newList, edge.city(), now);
        if (newKey.isSandbox() != edge.sandbox()) {
            throw new GeneralSecurityException("a sandbox's key for production, or the other way round");
        }
        if (key != null && newKey.version() < key.version()) {
            throw new GeneralSecurityException("the edge's keys are a step back");
        }
        list = newList;
        key = newKey;
        keyIsStale = false;
        return key;
    }

    private HttpResponse<byte[]> get(String path)
            throws IOException, InterruptedException, EdgeException {
        HttpRequest request = HttpRequest.newBuilder(base.resolve(path)).timeout(TIMEOUT).build();
        HttpResponse<byte[]> response = http.send(request, BodyHandlers.ofByteArray());
        if (response.statusCode() != 200) {
            String body = new String(response.body(), StandardCharsets.UTF_8);
            throw EdgeException.of(response.statusCode(), contentType(response), body);
        }
        return response;
    }

    /** A sealed answer is a judgement about records, whatever its status; anything else refuses the request. */
    private void expectType(HttpResponse<InputStream> response, String type)
            throws IOException, EdgeException {
        if (contentType(response).equals(type)) {
            return;
        }
        keyIsStale = true;
        String body = new String(response.body().readNBytes(65_536), StandardCharsets.UTF_8);
        throw EdgeException.of(response.statusCode(), contentType(response), body);
    }

    private static String contentType(HttpResponse<?> response) {
        return response.headers().firstValue("content-type").orElse("");
    }
}
