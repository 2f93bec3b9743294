package weir.parity.random;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.List;
import org.apache.kafka.streams.KeyValue;
import org.apache.kafka.streams.kstream.Windowed;

/** What the nodes of random topologies compute: the same as in {@code random/functions.ts}, so simple that any language does the same. */
final class Functions {
    private Functions() {}

    /** A key or value as text; null stays null. */
    static String text(final Object value) {
        if (value instanceof Windowed<?> windowed) {
            return windowed.key() + "@" + windowed.window().start();
        }
        return value == null ? null : value.toString();
    }

    static String shown(final Object value) {
        return value == null ? "null" : text(value);
    }

    static int hash(final Object value) {
        final String text = text(value);
        int hash = 0;
        for (int i = 0; text != null && i < text.length(); i++) {
            hash = (hash * 31 + text.charAt(i)) % 100_003;
        }
        return hash;
    }

    static String tail(final String text) {
        return text.length() <= 12 ? text : text.substring(text.length() - 12);
    }

    /** Whether a record or row passes. */
    static boolean passes(final JsonNode f, final Object key, final Object value) {
        final int hash = f.get("on").asText().equals("key") ? hash(key) : hash(value);
        return hash % f.get("m").asInt() == f.get("r").asInt();
    }

    private static boolean hits(final JsonNode f, final Object value) {
        final int m = f.path("m").asInt(0);
        return m > 0 && hash(value) % m == f.get("r").asInt();
    }

    static String value(final JsonNode f, final Object key, final Object value) {
        if (hits(f, value)) {
            return null;
        }
        return switch (f.get("kind").asText()) {
            case "tag" -> tail(shown(value) + f.get("tag").asText());
            case "key" -> tail(hash(key) + "=" + shown(value));
            case "same" -> text(value);
            case "one" -> f.get("tag").asText();
            case "cut" -> value == null || text(value).isEmpty() ? null : text(value).substring(0, 1);
            default -> throw new IllegalArgumentException(f.toString());
        };
    }

    static String key(final JsonNode f, final Object key, final Object value) {
        if (hits(f, value)) {
            return null;
        }
        return switch (f.get("kind").asText()) {
            case "bucket" -> "k" + hash(value) % f.get("n").asInt();
            case "key" -> key == null ? null : text(key) + f.get("tag").asText();
            case "cut" -> value == null || text(value).isEmpty() ? null : text(value).substring(0, 1);
            default -> throw new IllegalArgumentException(f.toString());
        };
    }

    /** None to two values for one. */
    static List<Object> values(final JsonNode f, final Object key, final Object value) {
        final List<Object> values = new ArrayList<>();
        for (int i = 0; i < hash(value) % 3; i++) {
            values.add(tail(shown(value) + "." + i));
        }
        return values;
    }

    /** None to two records for one. */
    static List<KeyValue<Object, Object>> records(final JsonNode f, final Object key, final Object value) {
        final List<KeyValue<Object, Object>> records = new ArrayList<>();
        for (final Object item : values(f, key, value)) {
            records.add(KeyValue.pair(key(f, key, item), item));
        }
        return records;
    }

    static String join(final JsonNode f, final Object left, final Object right) {
        final String joined = tail(shown(left) + "/" + shown(right));
        return hits(f, joined) ? null : joined;
    }

    static String initial(final JsonNode f) {
        return f.get("kind").asText().equals("sum") ? "0" : "";
    }

    static String add(final JsonNode f, final Object value, final Object total) {
        if (hits(f, value)) {
            return null;
        }
        return f.get("kind").asText().equals("sum") ? String.valueOf(amount(total) + amount(value)) : tail(text(total) + "+" + shown(value));
    }

    static String subtract(final JsonNode f, final Object value, final Object total) {
        if (hits(f, value)) {
            return null;
        }
        return f.get("kind").asText().equals("sum") ? String.valueOf(amount(total) - amount(value)) : tail(text(total) + "-" + shown(value));
    }

    /** The number that a text spells, or a number made of it. */
    private static int amount(final Object value) {
        final String text = text(value);
        return text != null && text.matches("-?[0-9]{1,7}") ? Integer.parseInt(text) : hash(text) % 100;
    }
}
