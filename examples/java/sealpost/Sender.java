package sealpost;

import java.io.IOException;
import java.security.GeneralSecurityException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.BiConsumer;
import javax.crypto.AEADBadTagException;

/**
 * Sends records until each has its judgement (docs/wire-format.md section 4, "Resume"): what has no opened result, or
 * {@code retry}, is sealed and sent again. Sending a record twice is safe, since its id makes it one.
 */
final class Sender {
    private static final int ATTEMPTS = 4;
    private static final long FIRST_PAUSE_MS = 1_000;

    private final EdgeClient client;

    Sender(EdgeClient client) {
        this.client = client;
    }

    /**
     * Submits one record.
     *
     * @param record its CBOR
     * @return the judgement, or nothing when none came in the last attempt
     * @throws EdgeException when the edge refuses the request for a reason that does not pass
     * @throws GeneralSecurityException when the edge's keys are not genuine
     */
    Optional<Submission.Answer> submit(byte[] record)
            throws InterruptedException, GeneralSecurityException, EdgeException {
        for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
            pauseBefore(attempt);
            try {
                Submission.Answer answer = client.submit(record);
                if (answer.receipt().terminal()) {
                    return Optional.of(answer);
                }
            } catch (EdgeException e) {
                throwUnlessPassing(e);
            } catch (IOException | AEADBadTagException e) {
                // The connection broke, or somebody on the way damaged the answer.
            }
        }
        return Optional.empty();
    }

    /**
     * Sends records in streams.
     *
     * @param records CBOR each, at most RecordStream.MAX_RECORDS
     * @param receipts takes the index of a record and its receipt, once for each record at most
     * @return the indexes of the records that are still without one after the last attempt
     * @throws EdgeException when the edge refuses the request for a reason that does not pass
     * @throws GeneralSecurityException when the edge's keys are not genuine
     */
    List<Integer> stream(List<byte[]> records, BiConsumer<Integer, Receipt> receipts)
            throws InterruptedException, GeneralSecurityException, EdgeException {
        List<Integer> open = new ArrayList<>();
        for (int i = 0; i < records.size(); i++) {
            open.add(i);
        }
        for (int attempt = 0; attempt < ATTEMPTS && !open.isEmpty(); attempt++) {
            pauseBefore(attempt);
            open = streamOnce(records, open, receipts);
        }
        return open;
    }

    /** Sends the records of these indexes; returns those that have no judgement after it. */
    private List<Integer> streamOnce(
            List<byte[]> records, List<Integer> indexes, BiConsumer<Integer, Receipt> receipts)
            throws InterruptedException, GeneralSecurityException, EdgeException {
        boolean[] judged = new boolean[indexes.size()];
        try {
            client.stream(
                    indexes.stream().map(records::get).toList(),
                    (i, receipt) -> {
                        if (receipt.terminal() && !judged[i]) {
                            judged[i] = true;
                            receipts.accept(indexes.get(i), receipt);
                        }
                    });
        } catch (EdgeException e) {
            throwUnlessPassing(e);
        } catch (IOException | AEADBadTagException e) {
            // As above: the receipts that opened before count, the rest is sent again.
        }
        List<Integer> open = new ArrayList<>();
        for (int i = 0; i < judged.length; i++) {
            if (!judged[i]) {
                open.add(indexes.get(i));
            }
        }
        return open;
    }

    private static void throwUnlessPassing(EdgeException e) throws EdgeException {
        if (!e.passing()) {
            throw e;
        }
    }

    /** Twice as long before every further attempt. */
    private static void pauseBefore(int attempt) throws InterruptedException {
        if (attempt > 0) {
            Thread.sleep(FIRST_PAUSE_MS << attempt - 1);
        }
    }
}
