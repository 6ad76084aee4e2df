package sealpost;

import java.io.IOException;
import java.security.GeneralSecurityException;
import java.util.ArrayList;
import java.util.List;
import java.util.function.BiConsumer;

/**
 * Sends records until each has its judgement (docs/wire-format.md section 4, "Resume"): what has no opened result, or
 * {@code retry}, goes into a new stream. Sending a record twice is safe, since its id makes it one.
 */
final class BulkSender {
    private static final int ATTEMPTS = 4;
    private static final long FIRST_PAUSE_MS = 1_000;

    private final EdgeClient client;

    BulkSender(EdgeClient client) {
        this.client = client;
    }

    /**
     * Sends the records of one batch.
     *
     * @param records CBOR each, at most RecordStream.MAX_RECORDS
     * @param receipts takes the index of a record and its final receipt, once for each record at most
     * @return the indexes of the records that are still without one after the last attempt
     * @throws EdgeException when the edge refuses the request for a reason that does not pass
     */
    List<Integer> send(List<byte[]> records, BiConsumer<Integer, Receipt> receipts)
            throws InterruptedException, GeneralSecurityException, EdgeException {
        List<Integer> open = new ArrayList<>();
        for (int i = 0; i < records.size(); i++) {
            open.add(i);
        }
        for (int attempt = 0; attempt < ATTEMPTS && !open.isEmpty(); attempt++) {
            if (attempt > 0) {
                Thread.sleep(FIRST_PAUSE_MS << attempt - 1);
            }
            open = attempt(records, open, receipts);
        }
        return open;
    }

    /** One stream; returns what is open after it. */
    private List<Integer> attempt(
            List<byte[]> records, List<Integer> sent, BiConsumer<Integer, Receipt> receipts)
            throws InterruptedException, GeneralSecurityException, EdgeException {
        boolean[] judged = new boolean[sent.size()];
        try {
            client.stream(
                    sent.stream().map(records::get).toList(),
                    (place, receipt) -> {
                        if (receipt.terminal() && !judged[place]) {
                            judged[place] = true;
                            receipts.accept(sent.get(place), receipt);
                        }
                    });
        } catch (EdgeException e) {
            if (!e.passing()) {
                throw e;
            }
        } catch (IOException e) {
            // The connection broke: the receipts that opened before count, the rest is sent again.
        }
        List<Integer> open = new ArrayList<>();
        for (int place = 0; place < judged.length; place++) {
            if (!judged[place]) {
                open.add(sent.get(place));
            }
        }
        return open;
    }
}
