package weir.parity;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.List;
import java.util.StringJoiner;

/** The text of a file of {@code expected/}, in the repository's JSON format: what fits into a line of 120 characters stays on one. */
final class ExpectedFile {
    private static final int LINE_WIDTH = 120;
    private static final ObjectMapper MAPPER = new ObjectMapper();

    private ExpectedFile() {}

    static String text(final Scenario scenario, final Runner.Result result) {
        final ObjectNode root = MAPPER.createObjectNode();
        root.put("scenario", scenario.name());
        root.put("dropped", result.dropped());
        root.set("output", list(result.output()));
        final ObjectNode stores = root.putObject("stores");
        result.stores().forEach((name, rows) -> stores.set(name, list(rows)));
        return broken(root, "") + "\n";
    }

    private static ArrayNode list(final List<Runner.Row> rows) {
        final ArrayNode list = MAPPER.createArrayNode();
        rows.forEach(row -> list.add(object(row)));
        return list;
    }

    private static ObjectNode object(final Runner.Row row) {
        final ObjectNode object = MAPPER.createObjectNode();
        if (row.topic() != null) {
            object.put("topic", row.topic());
        }
        object.put("key", row.key());
        object.put("value", row.value());
        putUnlessNull(object, "timestamp", row.timestamp());
        putUnlessNull(object, "windowStart", row.windowStart());
        putUnlessNull(object, "windowEnd", row.windowEnd());
        putUnlessNull(object, "validTo", row.validTo());
        return object;
    }

    private static void putUnlessNull(final ObjectNode object, final String name, final Long value) {
        if (value != null) {
            object.put(name, value);
        }
    }

    /** The node after {@code before} on a line, or over several lines if that line would be too long. */
    private static String node(final String indent, final String before, final JsonNode node) {
        final String flat = flat(node);
        final long width = (indent + before + flat + ",").codePoints().count();
        return indent + before + (node.isValueNode() || width <= LINE_WIDTH ? flat : broken(node, indent));
    }

    private static String broken(final JsonNode node, final String indent) {
        final String inner = indent + "  ";
        if (node.isArray()) {
            final StringJoiner lines = new StringJoiner(",\n", "[\n", "\n" + indent + "]");
            node.forEach(item -> lines.add(node(inner, "", item)));
            return lines.toString();
        }
        final StringJoiner lines = new StringJoiner(",\n", "{\n", "\n" + indent + "}");
        node.properties().forEach(field -> lines.add(node(inner, "\"" + field.getKey() + "\": ", field.getValue())));
        return lines.toString();
    }

    private static String flat(final JsonNode node) {
        if (node.isValueNode()) {
            return node.toString();
        }
        if (node.isArray()) {
            final StringJoiner items = new StringJoiner(", ", "[", "]");
            node.forEach(item -> items.add(flat(item)));
            return items.toString();
        }
        if (node.isEmpty()) {
            return "{}";
        }
        final StringJoiner fields = new StringJoiner(", ", "{ ", " }");
        node.properties().forEach(field -> fields.add("\"" + field.getKey() + "\": " + flat(field.getValue())));
        return fields.toString();
    }
}
