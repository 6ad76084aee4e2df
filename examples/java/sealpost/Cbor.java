package sealpost;

import java.io.ByteArrayOutputStream;
import java.math.BigInteger;
import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * The part of CBOR (RFC 8949) that records are made of: integers, octet strings, text, arrays, maps with integer keys,
 * true and false. The writer is deterministic (section 4.2.1): shortest integers, definite lengths, keys in ascending
 * order. The reader is for masked views, which come from inside a sealed answer.
 *
 * <p>Java types: Long or BigInteger, byte[], String, List, SortedMap from Integer, Boolean.
 */
final class Cbor {
    private static final int MAX_DEPTH = 8;
    private static final BigInteger MAX_UINT = BigInteger.ONE.shiftLeft(64).subtract(BigInteger.ONE);

    private Cbor() {}

    static byte[] write(Object value) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        write(out, value);
        return out.toByteArray();
    }

    static Object read(byte[] item) {
        ByteBuffer in = ByteBuffer.wrap(item);
        Object value = read(in, 0);
        if (in.hasRemaining()) {
            throw new IllegalArgumentException("octets behind the item");
        }
        return value;
    }

    private static void write(ByteArrayOutputStream out, Object value) {
        if (value instanceof Long number) {
            writeInteger(out, BigInteger.valueOf(number));
        } else if (value instanceof BigInteger number) {
            writeInteger(out, number);
        } else if (value instanceof byte[] octets) {
            writeHead(out, 2, octets.length);
            out.writeBytes(octets);
        } else if (value instanceof String text) {
            byte[] octets = utf8(text);
            writeHead(out, 3, octets.length);
            out.writeBytes(octets);
        } else if (value instanceof List<?> list) {
            writeHead(out, 4, list.size());
            list.forEach(element -> write(out, element));
        } else if (value instanceof TreeMap<?, ?> map) {
            writeHead(out, 5, map.size());
            // Ascending small integers are in the order of their encodings, which section 4.2.1 asks for.
            for (Map.Entry<?, ?> entry : map.entrySet()) {
                writeHead(out, 0, (Integer) entry.getKey());
                write(out, entry.getValue());
            }
        } else if (value instanceof Boolean bool) {
            out.write(bool ? 0xf5 : 0xf4);
        } else {
            throw new IllegalArgumentException("a kind of value that records do not have");
        }
    }

    private static void writeInteger(ByteArrayOutputStream out, BigInteger number) {
        int major = number.signum() < 0 ? 1 : 0;
        BigInteger argument = major == 0 ? number : number.not();
        if (argument.compareTo(MAX_UINT) > 0) {
            throw new IllegalArgumentException("an integer over 64 bits");
        }
        writeHead(out, major, argument.longValue());
    }

    /** Major type and argument in their shortest form, RFC 8949 section 3; the argument is unsigned. */
    private static void writeHead(ByteArrayOutputStream out, int major, long argument) {
        int type = major << 5;
        if (Long.compareUnsigned(argument, 24) < 0) {
            out.write(type | (int) argument);
        } else if (Long.compareUnsigned(argument, 0xff) <= 0) {
            writeArgument(out, type | 24, argument, 1);
        } else if (Long.compareUnsigned(argument, 0xffff) <= 0) {
            writeArgument(out, type | 25, argument, 2);
        } else if (Long.compareUnsigned(argument, 0xffffffffL) <= 0) {
            writeArgument(out, type | 26, argument, 4);
        } else {
            writeArgument(out, type | 27, argument, 8);
        }
    }

    private static void writeArgument(ByteArrayOutputStream out, int first, long argument, int width) {
        out.write(first);
        out.writeBytes(Octets.uint(argument, width));
    }

    /** Unlike String.getBytes, this refuses unpaired surrogates instead of writing a question mark. */
    private static byte[] utf8(String text) {
        try {
            ByteBuffer encoded = StandardCharsets.UTF_8.newEncoder().encode(CharBuffer.wrap(text));
            byte[] out = new byte[encoded.remaining()];
            encoded.get(out);
            return out;
        } catch (CharacterCodingException e) {
            throw new IllegalArgumentException("text with an unpaired surrogate");
        }
    }

    private static Object read(ByteBuffer in, int depth) {
        if (depth > MAX_DEPTH) {
            throw new IllegalArgumentException("nested too deep");
        }
        int first = in.get() & 0xff;
        int major = first >> 5;
        if (major == 7) {
            return switch (first) {
                case 0xf4 -> Boolean.FALSE;
                case 0xf5 -> Boolean.TRUE;
                default -> throw new IllegalArgumentException("a value that views do not have");
            };
        }
        long argument = readArgument(in, first & 0x1f);
        switch (major) {
            case 0:
                return argument;
            case 1:
                return ~argument;
            case 2:
                return readOctets(in, argument);
            case 3:
                return new String(readOctets(in, argument), StandardCharsets.UTF_8);
            case 4:
                List<Object> list = new ArrayList<>();
                for (int i = checkedLength(in, argument); i > 0; i--) {
                    list.add(read(in, depth + 1));
                }
                return list;
            case 5:
                Map<Integer, Object> map = new TreeMap<>();
                for (int i = checkedLength(in, argument); i > 0; i--) {
                    Object key = read(in, depth + 1);
                    map.put(Math.toIntExact((Long) key), read(in, depth + 1));
                }
                return map;
            default:
                throw new IllegalArgumentException("a tag");
        }
    }

    private static long readArgument(ByteBuffer in, int information) {
        return switch (information) {
            case 24 -> in.get() & 0xff;
            case 25 -> in.getShort() & 0xffff;
            case 26 -> in.getInt() & 0xffffffffL;
            case 27 -> in.getLong();
            default -> {
                if (information > 27) {
                    throw new IllegalArgumentException("an indefinite length");
                }
                yield information;
            }
        };
    }

    private static byte[] readOctets(ByteBuffer in, long length) {
        byte[] out = new byte[checkedLength(in, length)];
        in.get(out);
        return out;
    }

    /** Every element takes at least one octet, so a length over what remains is a lie. */
    private static int checkedLength(ByteBuffer in, long length) {
        if (length < 0 || length > in.remaining()) {
            throw new IllegalArgumentException("a length over the end of the item");
        }
        return (int) length;
    }
}
