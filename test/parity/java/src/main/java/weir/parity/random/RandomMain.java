package weir.parity.random;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.stream.Stream;

/** Reads cases from standard input, one a line, and writes what Kafka Streams does with each, without and with caches, one a line. */
public final class RandomMain {
    private RandomMain() {}

    public static void main(final String[] args) throws IOException {
        final ObjectMapper mapper = new ObjectMapper();
        final Path stateDir = Files.createTempDirectory("random");
        final PrintStream out = new PrintStream(System.out, false, StandardCharsets.UTF_8);
        final BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String line = in.readLine(); line != null; line = in.readLine()) {
            final JsonNode given = mapper.readTree(line);
            final ObjectNode answer = mapper.createObjectNode();
            answer.set("uncached", answer(mapper, stateDir, given, false));
            answer.set("cached", answer(mapper, stateDir, given, true));
            out.println(mapper.writeValueAsString(answer));
            out.flush();
        }
        delete(stateDir);
    }

    private static void delete(final Path folder) throws IOException {
        try (Stream<Path> files = Files.walk(folder)) {
            for (final Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(file);
            }
        }
    }

    private static ObjectNode answer(final ObjectMapper mapper, final Path stateDir, final JsonNode given, final boolean caching) {
        try {
            return CaseRunner.run(mapper, stateDir, given, caching);
        } catch (final RuntimeException e) {
            Throwable cause = e;
            while (cause.getCause() != null) {
                cause = cause.getCause();
            }
            return mapper.createObjectNode().put("failed", e + " / " + cause);
        }
    }
}
