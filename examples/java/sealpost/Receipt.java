package sealpost;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.UUID;

/**
 * The edge's result for one record (docs/wire-format.md section 3), 32 octets. A receipt exists only once its answer
 * has opened: that is the acknowledgement, not an HTTP status.
 *
 * @param place in a stream: number of the chunk × 256 + index in it
 * @param code why it was refused; beside another outcome why it would have been, had the city not been in trial;
 *     0 for neither
 * @param field of the code, see ParcelRecord.fieldName; 0 when the record as a whole is meant
 * @param warnings bit numbers
 * @param ruleSet version of the rules, YYYYMMDD
 */
record Receipt(
        int place, UUID id, Outcome outcome, int field, int code, int warnings, int ruleSet) {
    static final int LENGTH = 32;

    enum Outcome {
        STORED(1),
        DUPLICATE(2),
        CONFLICT(3),
        REFUSED(4),
        RETRY(5),
        CHECKED(6);

        private final int number;

        Outcome(int number) {
            this.number = number;
        }

        static Outcome of(int number) {
            for (Outcome outcome : values()) {
                if (outcome.number == number) {
                    return outcome;
                }
            }
            throw new IllegalArgumentException("an unknown outcome");
        }
    }

    static Receipt read(ByteBuffer in) {
        int place = in.getInt();
        UUID id = new UUID(in.getLong(), in.getLong());
        Outcome outcome = Outcome.of(in.get() & 0xff);
        int field = in.get() & 0xff;
        int code = in.getShort() & 0xffff;
        return new Receipt(place, id, outcome, field, code, in.getInt(), in.getInt());
    }

    /** Nothing more will come of sending the record again as it is. */
    boolean terminal() {
        return outcome != Outcome.RETRY;
    }

    Map<String, Object> toJson() {
        Map<String, Object> out = new LinkedHashMap<>();
        out.put("id", id.toString());
        out.put("outcome", outcome.name().toLowerCase(Locale.ROOT));
        if (code != 0) {
            out.put("code", Codes.name(code));
        }
        if (field != 0) {
            out.put("field", ParcelRecord.fieldName(field));
        }
        List<Object> names = new ArrayList<>();
        for (int bit = 0; bit < Integer.SIZE; bit++) {
            if ((warnings >>> bit & 1) == 1) {
                names.add(Codes.warning(bit));
            }
        }
        if (!names.isEmpty()) {
            out.put("warnings", names);
        }
        out.put("ruleSet", ruleSet);
        return out;
    }
}
