package sealpost;

import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.security.GeneralSecurityException;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.function.BiConsumer;

/**
 * Many records in one request, sealed in chunks, and the opening of its answer (docs/wire-format.md section 4). Results
 * name records by their place, which this class turns back into the index in the list it was given.
 */
final class RecordStream {
    static final String REQUEST_TYPE = "message/sealpost-parcel-chunked-req";
    static final String RESPONSE_TYPE = "message/sealpost-parcel-chunked-res";
    static final int MAX_RECORDS = 65_536;
    static final int MAX_BODY = 64 * 1024 * 1024;

    private static final String REQUEST_LABEL = "message/sealpost-parcel chunked request";
    private static final String RESPONSE_LABEL = "message/sealpost-parcel chunked response";
    private static final byte[] FINAL = Octets.ascii("final");
    private static final int MAX_CHUNK = 16_384;
    private static final int MAX_CHUNK_RECORDS = 256;
    private static final int MAX_RESULTS = MAX_CHUNK_RECORDS * Receipt.LENGTH + Aead.TAG_LENGTH;

    private final Encapsulation encapsulation;
    private final List<byte[]> body = new ArrayList<>();
    /** For each chunk the index of its first record, and behind the last one the count of all. */
    private final List<Integer> starts = new ArrayList<>();

    RecordStream(KeyConfiguration key, UUID enterprise, List<byte[]> records)
            throws GeneralSecurityException {
        if (records.size() > MAX_RECORDS) {
            throw new IllegalArgumentException("a stream carries at most 65,536 records");
        }
        encapsulation = new Encapsulation(key, enterprise, REQUEST_LABEL);
        body.add(encapsulation.head());
        starts.add(0);
        ByteArrayOutputStream chunk = new ByteArrayOutputStream();
        for (int i = 0; i < records.size(); i++) {
            byte[] record = records.get(i);
            int count = i - starts.get(starts.size() - 1);
            if (count == MAX_CHUNK_RECORDS || chunk.size() + record.length > MAX_CHUNK) {
                addChunk(chunk, i);
            }
            chunk.writeBytes(record);
        }
        if (chunk.size() > 0) {
            addChunk(chunk, records.size());
        }
        // Only a final chunk that opens tells the edge that nothing was cut off; it may be empty.
        body.add(varint(0));
        body.add(encapsulation.seal(FINAL, Octets.NONE));
    }

    private void addChunk(ByteArrayOutputStream chunk, int nextRecord)
            throws GeneralSecurityException {
        byte[] sealed = encapsulation.seal(Octets.NONE, chunk.toByteArray());
        body.add(varint(sealed.length));
        body.add(sealed);
        starts.add(nextRecord);
        chunk.reset();
    }

    byte[] head() {
        return encapsulation.head();
    }

    /** The body in pieces, in order. */
    List<byte[]> body() {
        return body;
    }

    /**
     * What the edge says of the whole stream.
     *
     * @param complete whether the edge has read the stream to its end
     */
    record Summary(
            boolean complete, int stored, int duplicate, int conflict, int refused, int retry, int checked) {}

    /**
     * Reads the answer to its end, handing each receipt over as it opens.
     *
     * @param receipts takes the index of a record and its receipt; receipts from before a cut stay valid
     * @throws IOException when the answer ends before its final chunk
     * @throws GeneralSecurityException when a chunk does not open
     */
    Summary open(InputStream answer, BiConsumer<Integer, Receipt> receipts)
            throws IOException, GeneralSecurityException {
        DataInputStream in = new DataInputStream(answer);
        byte[] nonce = new byte[Encapsulation.RESPONSE_NONCE_LENGTH];
        in.readFully(nonce);
        Encapsulation.AnswerKey key = encapsulation.answerKey(RESPONSE_LABEL, nonce);
        for (long part = 0; ; part++) {
            long length = readVarint(in);
            if (length == 0) {
                return readSummary(key.open(part, FINAL, in.readAllBytes()));
            }
            if (length > MAX_RESULTS) {
                throw new IOException("a chunk of the answer is too long");
            }
            byte[] sealed = new byte[(int) length];
            in.readFully(sealed);
            ByteBuffer results = ByteBuffer.wrap(key.open(part, Octets.NONE, sealed));
            while (results.hasRemaining()) {
                Receipt receipt = Receipt.read(results);
                receipts.accept(recordIndex(receipt.place()), receipt);
            }
        }
    }

    private int recordIndex(int place) {
        int chunk = place / MAX_CHUNK_RECORDS;
        int index = place % MAX_CHUNK_RECORDS;
        if (place < 0 || chunk >= starts.size() - 1
                || starts.get(chunk) + index >= starts.get(chunk + 1)) {
            throw new IllegalArgumentException("a result for a record that was not sent");
        }
        return starts.get(chunk) + index;
    }

    private static Summary readSummary(byte[] plaintext) {
        ByteBuffer in = ByteBuffer.wrap(plaintext);
        boolean complete = in.get() == 1;
        return new Summary(
                complete, in.getInt(), in.getInt(), in.getInt(), in.getInt(), in.getInt(), in.getInt());
    }

    /** RFC 9000 section 16; chunks are under 2^14 octets but for the tag, so two or four octets do. */
    private static byte[] varint(int value) {
        if (value < 1 << 6) {
            return Octets.uint(value, 1);
        }
        if (value < 1 << 14) {
            return Octets.uint(value | 1 << 14, 2);
        }
        return Octets.uint(value | 2 << 30, 4);
    }

    private static long readVarint(DataInputStream in) throws IOException {
        int first = in.readUnsignedByte();
        long value = first & 0x3f;
        for (int more = (1 << (first >> 6)) - 1; more > 0; more--) {
            value = value << 8 | in.readUnsignedByte();
        }
        return value;
    }
}
