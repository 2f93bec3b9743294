package weir.parity.random;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.List;

/** One node of a random topology, as the description has it: see {@code random/description.ts}. */
record Node(JsonNode json) {
    int id() {
        return json.get("id").asInt();
    }

    String op() {
        return json.get("op").asText();
    }

    /** The name of the node, its store and its internal topic. */
    String name() {
        return "n" + id();
    }

    int parent(final int index) {
        return json.get("of").get(index).asInt();
    }

    List<String> topics() {
        final List<String> topics = new ArrayList<>();
        json.get("topics").forEach(topic -> topics.add(topic.asText()));
        return topics;
    }

    boolean is(final String flag) {
        return json.path(flag).asBoolean(false);
    }

    long number(final String field) {
        return json.path(field).asLong(0);
    }

    JsonNode get(final String field) {
        return json.get(field);
    }
}
