package sealpost;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.PrintStream;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * The command line of the sample: reads records as NDJSON (docs/wire-format.md section 1, "JSON form") and prints one
 * receipt a line, as JSON too. See README.md beside this package.
 */
public final class Main {
    private static final String USAGE =
            """
            usage: java -cp out sealpost.Main submit|stream FILE --edge FILE --enterprise FILE
                   [--authority HOST:PORT] [--url URL]
              submit        sends the records of FILE one by one and prints their masked views
              stream        sends the records of FILE in streams
              --edge        JSON with city, authority and rootKey
              --enterprise  JSON with id and signingKey
              --authority   what the edge is configured with, if it is not the one of --edge
              --url         where the edge is reached, https://AUTHORITY unless given
            exit codes: 0 every record is judged, 1 failed, 2 wrong usage, 3 some record is not judged: run it again""";

    private static final int DONE = 0;
    private static final int FAILED = 1;
    private static final int WRONG_USAGE = 2;
    private static final int UNFINISHED = 3;
    /** Octets of records a stream, well under its limit of 64 MiB. */
    private static final int BATCH_OCTETS = 32 * 1024 * 1024;

    private final Sender sender;
    private final PrintStream out;
    private boolean unfinished;

    private Main(Sender sender, PrintStream out) {
        this.sender = sender;
        this.out = out;
    }

    public static void main(String[] args) throws InterruptedException {
        System.exit(run(args));
    }

    private static int run(String[] args) throws InterruptedException {
        Map<String, String> options = options(args);
        boolean known = args.length > 0 && (args[0].equals("submit") || args[0].equals("stream"));
        if (!known || !options.keySet().containsAll(List.of("file", "--edge", "--enterprise"))) {
            System.err.println(USAGE);
            return WRONG_USAGE;
        }
        PrintStream out = new PrintStream(System.out, true, StandardCharsets.UTF_8);
        try {
            EdgeIdentity edge = EdgeIdentity.load(Path.of(options.get("--edge")));
            Enterprise enterprise = Enterprise.load(Path.of(options.get("--enterprise")));
            if (options.containsKey("--authority")) {
                edge = edge.withAuthority(options.get("--authority"));
            }
            String url = options.getOrDefault("--url", "https://" + edge.authority());
            Main main = new Main(new Sender(new EdgeClient(URI.create(url), edge, enterprise)), out);
            try (BufferedReader lines = Files.newBufferedReader(Path.of(options.get("file")))) {
                if (args[0].equals("submit")) {
                    main.submit(lines);
                } else {
                    main.stream(lines);
                }
            }
            return main.unfinished ? UNFINISHED : DONE;
        } catch (IOException | GeneralSecurityException | EdgeException e) {
            System.err.println(e);
            return FAILED;
        }
    }

    private static Map<String, String> options(String[] args) {
        Map<String, String> out = new HashMap<>();
        for (int i = 1; i < args.length; i++) {
            if (args[i].startsWith("--") && i + 1 < args.length) {
                out.put(args[i], args[++i]);
            } else {
                out.put("file", args[i]);
            }
        }
        return out;
    }

    private void submit(BufferedReader lines)
            throws IOException, InterruptedException, GeneralSecurityException, EdgeException {
        int number = 0;
        for (String line = lines.readLine(); line != null; line = lines.readLine()) {
            number++;
            byte[] record = encode(number, line);
            if (record != null) {
                Optional<Submission.Answer> answer = sender.submit(record);
                if (answer.isPresent()) {
                    print(number, judgement(answer.get()));
                } else {
                    printUnknown(number);
                }
            }
        }
    }

    private void stream(BufferedReader lines)
            throws IOException, InterruptedException, GeneralSecurityException, EdgeException {
        List<byte[]> records = new ArrayList<>();
        List<Integer> numbers = new ArrayList<>();
        int octets = 0;
        int number = 0;
        for (String line = lines.readLine(); line != null; line = lines.readLine()) {
            number++;
            byte[] record = encode(number, line);
            if (record == null) {
                continue;
            }
            if (records.size() == RecordStream.MAX_RECORDS || octets + record.length > BATCH_OCTETS) {
                sendBatch(records, numbers);
                records.clear();
                numbers.clear();
                octets = 0;
            }
            records.add(record);
            numbers.add(number);
            octets += record.length;
        }
        if (!records.isEmpty()) {
            sendBatch(records, numbers);
        }
    }

    private void sendBatch(List<byte[]> records, List<Integer> numbers)
            throws InterruptedException, GeneralSecurityException, EdgeException {
        List<Integer> open =
                sender.stream(records, (i, receipt) -> print(numbers.get(i), receipt.toJson()));
        for (int i : open) {
            printUnknown(numbers.get(i));
        }
    }

    private static Map<String, Object> judgement(Submission.Answer answer) {
        Map<String, Object> json = answer.receipt().toJson();
        if (answer.view().length > 0) {
            json.put("masked", ParcelRecord.decodeView(answer.view()));
        }
        return json;
    }

    /** The CBOR of a line, or null when it holds nothing that can be sent; then the line's fault is printed. */
    private byte[] encode(int number, String line) {
        if (line.isBlank()) {
            return null;
        }
        try {
            return ParcelRecord.encode(Json.readObject(line));
        } catch (IllegalArgumentException e) {
            print(number, Map.of("outcome", "unsent", "reason", e.getMessage()));
            return null;
        }
    }

    private void printUnknown(int number) {
        unfinished = true;
        print(number, Map.of("outcome", "unknown"));
    }

    private void print(int number, Map<String, Object> result) {
        Map<String, Object> line = new LinkedHashMap<>();
        line.put("line", number);
        line.putAll(result);
        out.println(Json.write(line));
    }
}
