package weir.parity;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** One input file: a named topology, its parameters, and the records to pipe through it, in that order. */
record Scenario(String name, String topology, Params params, List<Input> input) {

    /** A record of an input topic. Key and value may be null. */
    record Input(String topic, String key, String value, long timestamp) {}

    /** The parameters of a topology. A missing one is an error: scenarios spell all of them out. */
    record Params(JsonNode json) {
        long number(final String name) {
            return required(name).asLong();
        }

        boolean flag(final String name) {
            return required(name).asBoolean();
        }

        String text(final String name) {
            return required(name).asText();
        }

        private JsonNode required(final String name) {
            final JsonNode node = json.get(name);
            if (node == null) {
                throw new IllegalArgumentException("the scenario has no parameter " + name);
            }
            return node;
        }

        @Override
        public String toString() {
            return json.toString();
        }
    }

    private static final ObjectMapper MAPPER = new ObjectMapper();

    static Scenario read(final Path file) throws IOException {
        final JsonNode root = MAPPER.readTree(file.toFile());
        final List<Input> input = new ArrayList<>();
        for (final JsonNode record : root.get("input")) {
            input.add(new Input(
                record.get("topic").asText(),
                textOrNull(record.get("key")),
                textOrNull(record.get("value")),
                record.get("timestamp").asLong()));
        }
        final String name = file.getFileName().toString().replaceFirst("\\.json$", "");
        return new Scenario(name, root.get("topology").asText(), new Params(root.get("params")), input);
    }

    private static String textOrNull(final JsonNode node) {
        return node.isNull() ? null : node.asText();
    }
}
