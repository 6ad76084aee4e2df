package sealpost;

import java.time.DateTimeException;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.UUID;

/**
 * A record between its JSON form and its CBOR form (docs/wire-format.md section 1, docs/record.cddl). What does not
 * have the form of its field is passed on as it stands: it is the edge that judges, and its code tells field and fault.
 */
final class ParcelRecord {
    static final int MAX_LENGTH = 4096;

    private static final Codec PLAIN = new Codec() {};
    private static final Codec UUID_TEXT = new UuidCodec();
    private static final Codec INSTANT = new InstantCodec();
    private static final Codec DIVISION = new DivisionCodec();
    private static final Codec DIGESTS = new DigestsCodec();

    private static final Codec GOODS =
            new NamesCodec()
                    .with("document", 1)
                    .with("clothing", 2)
                    .with("food", 3)
                    .with("electronics", 4)
                    .with("household", 5)
                    .with("cosmetics", 6)
                    .with("books", 7)
                    .with("medicine", 8)
                    .with("machinery", 9)
                    .with("farm_produce", 10)
                    .with("other", 99);

    private static final Codec DOC_TYPE =
            new NamesCodec()
                    .with("RESIDENT", 1)
                    .with("RESIDENT_TEMP", 2)
                    .with("HMT_RESIDENCE", 3)
                    .with("FPR", 4)
                    .with("HK_MACAO_PERMIT", 5)
                    .with("TAIWAN_PERMIT", 6)
                    .with("PASSPORT_FOREIGN", 7)
                    .with("PASSPORT_CN", 8)
                    .with("MILITARY", 9)
                    .with("ARMED_POLICE", 10)
                    .with("USCC", 11);

    private static final MapCodec GUARDIAN =
            new MapCodec()
                    .with(1, "docType", DOC_TYPE)
                    .with(2, "docNumber", PLAIN)
                    .with(3, "nationality", PLAIN)
                    .with(4, "name", PLAIN)
                    .with(5, "phone", PLAIN);

    private static final MapCodec SENDER =
            new MapCodec()
                    .with(1, "docType", DOC_TYPE)
                    .with(2, "docNumber", PLAIN)
                    .with(3, "nationality", PLAIN)
                    .with(4, "name", PLAIN)
                    .with(5, "phone", PLAIN)
                    .with(6, "address", PLAIN)
                    .with(7, "division", DIVISION)
                    .with(8, "settledAbroad", PLAIN);

    private static final MapCodec AGREEMENT =
            new MapCodec()
                    .with(1, "number", PLAIN)
                    .with(2, "uscc", PLAIN)
                    .with(5, "phone", PLAIN)
                    .with(6, "address", PLAIN)
                    .with(7, "division", DIVISION);

    private static final MapCodec RECIPIENT =
            new MapCodec()
                    .with(4, "name", PLAIN)
                    .with(5, "phone", PLAIN)
                    .with(6, "address", PLAIN)
                    .with(7, "division", DIVISION);

    private static final MapCodec RECORD =
            new MapCodec()
                    .with(1, "id", UUID_TEXT)
                    .with(2, "carrier", PLAIN)
                    .with(3, "waybill", PLAIN)
                    .with(4, "takenAt", INSTANT)
                    .with(5, "outlet", PLAIN)
                    .with(6, "goods", GOODS)
                    .with(7, "sender", SENDER)
                    .with(8, "agreement", AGREEMENT)
                    .with(9, "token", PLAIN)
                    .with(10, "guardian", GUARDIAN)
                    .with(11, "recipient", RECIPIENT)
                    .with(12, "photos", DIGESTS)
                    .with(13, "replaces", UUID_TEXT);

    private ParcelRecord() {}

    /**
     * The CBOR of a record in JSON.
     *
     * @throws IllegalArgumentException when it has a field or a kind of value that CBOR records do not have, or comes
     *     out over 4,096 octets
     */
    static byte[] encode(Map<String, Object> json) {
        byte[] cbor = Cbor.write(RECORD.toCbor(json));
        if (cbor.length > MAX_LENGTH) {
            throw new IllegalArgumentException("the record has over 4,096 octets");
        }
        return cbor;
    }

    /** A masked view (section 3 of the wire format) in the JSON form of a record. */
    static Object decodeView(byte[] cbor) {
        return RECORD.toJson(Cbor.read(cbor));
    }

    /** The name of a result's {@code field}: the parent's key in the high four bits, its own in the low four. */
    static String fieldName(int field) {
        int parent = field >> 4;
        int own = field & 0xf;
        if (parent == 0) {
            return RECORD.name(own);
        }
        return RECORD.codec(parent) instanceof MapCodec map
                ? RECORD.name(parent) + "." + map.name(own)
                : RECORD.name(parent);
    }

    private interface Codec {
        default Object toCbor(Object json) {
            return json;
        }

        default Object toJson(Object cbor) {
            return cbor;
        }
    }

    private static final class MapCodec implements Codec {
        private record Field(int key, String name, Codec codec) {}

        private final Map<String, Field> byName = new LinkedHashMap<>();
        private final Map<Integer, Field> byKey = new LinkedHashMap<>();

        MapCodec with(int key, String name, Codec codec) {
            Field field = new Field(key, name, codec);
            byName.put(name, field);
            byKey.put(key, field);
            return this;
        }

        String name(int key) {
            return byKey.containsKey(key) ? byKey.get(key).name : "";
        }

        Codec codec(int key) {
            return byKey.containsKey(key) ? byKey.get(key).codec : PLAIN;
        }

        @Override
        public Object toCbor(Object json) {
            if (!(json instanceof Map<?, ?> map)) {
                return json;
            }
            TreeMap<Integer, Object> out = new TreeMap<>();
            for (Map.Entry<?, ?> entry : map.entrySet()) {
                Field field = byName.get(entry.getKey());
                if (field == null) {
                    throw new IllegalArgumentException("the record has a field of another name");
                }
                if (entry.getValue() != null) {
                    out.put(field.key, field.codec.toCbor(entry.getValue()));
                }
            }
            return out;
        }

        @Override
        public Object toJson(Object cbor) {
            Map<String, Object> out = new LinkedHashMap<>();
            ((Map<?, ?>) cbor)
                    .forEach((key, value) -> {
                        Field field = byKey.get(key);
                        if (field != null) {
                            out.put(field.name, field.codec.toJson(value));
                        }
                    });
            return out;
        }
    }

    private static final class NamesCodec implements Codec {
        private final Map<String, Long> numbers = new LinkedHashMap<>();

        NamesCodec with(String name, long number) {
            numbers.put(name, number);
            return this;
        }

        @Override
        public Object toCbor(Object json) {
            return json instanceof String name && numbers.containsKey(name)
                    ? numbers.get(name)
                    : json;
        }

        @Override
        public Object toJson(Object cbor) {
            return numbers.entrySet().stream()
                    .filter(entry -> entry.getValue().equals(cbor))
                    .<Object>map(Map.Entry::getKey)
                    .findFirst()
                    .orElse(cbor);
        }
    }

    private static final class UuidCodec implements Codec {
        @Override
        public Object toCbor(Object json) {
            return json instanceof String text && text.matches("(?i)[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
                    ? Octets.uuid(UUID.fromString(text))
                    : json;
        }

        @Override
        public Object toJson(Object cbor) {
            return Octets.toUuid((byte[]) cbor).toString();
        }
    }

    /** RFC 3339 text outside, milliseconds since 1970 inside. */
    private static final class InstantCodec implements Codec {
        @Override
        public Object toCbor(Object json) {
            try {
                return json instanceof String text
                        ? (Object) OffsetDateTime.parse(text).toInstant().toEpochMilli()
                        : json;
            } catch (DateTimeException e) {
                return json;
            }
        }

        @Override
        public Object toJson(Object cbor) {
            return Instant.ofEpochMilli((Long) cbor).toString();
        }
    }

    /** A division code of GB/T 2260: six digits outside, an integer inside. */
    private static final class DivisionCodec implements Codec {
        @Override
        public Object toCbor(Object json) {
            return json instanceof String text && text.matches("[0-9]{1,9}")
                    ? (Object) Long.valueOf(text)
                    : json;
        }

        @Override
        public Object toJson(Object cbor) {
            return String.format("%06d", cbor);
        }
    }

    private static final class DigestsCodec implements Codec {
        @Override
        public Object toCbor(Object json) {
            if (!(json instanceof List<?> list)) {
                return json;
            }
            List<Object> out = new ArrayList<>();
            for (Object element : list) {
                out.add(
                        element instanceof String text && text.matches("(?i)([0-9a-f]{2})*")
                                ? Octets.fromHex(text)
                                : element);
            }
            return out;
        }

        @Override
        public Object toJson(Object cbor) {
            List<Object> out = new ArrayList<>();
            ((List<?>) cbor).forEach(digest -> out.add(HexFormat.of().formatHex((byte[]) digest)));
            return out;
        }
    }
}
