package weir.parity;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;

/**
 * Writes what Kafka Streams' own test driver answers to each scenario.
 *
 * <p>Arguments: the folder with {@code scenarios/}, and the folder to write {@code expected/}, {@code expected-cached/} and
 * {@code topologies.txt} to.
 */
public final class Main {
    private final Path expected;
    private final Path cached;
    private final Map<String, String> descriptions = new TreeMap<>();

    private Main(final Path folder) {
        expected = folder.resolve("expected");
        cached = folder.resolve("expected-cached");
    }

    public static void main(final String[] args) throws IOException {
        final Path folder = Path.of(args[1]);
        final Main main = new Main(folder);
        empty(main.expected);
        empty(main.cached);
        for (final Path file : jsonFiles(Path.of(args[0]).resolve("scenarios"))) {
            main.answer(Scenario.read(file));
        }
        Files.writeString(folder.resolve("topologies.txt"), String.join("\n", main.descriptions.values()));
    }

    /** Without caches, and with them where that makes a difference. */
    private void answer(final Scenario scenario) throws IOException {
        final String file = scenario.name() + ".json";
        final Runner.Result uncached = Runner.run(scenario, false);
        final String text = ExpectedFile.text(scenario, uncached);
        Files.writeString(expected.resolve(file), text);
        if (!uncached.stores().isEmpty()) {
            final String cachedText = ExpectedFile.text(scenario, Runner.run(scenario, true));
            if (!cachedText.equals(text)) {
                Files.writeString(cached.resolve(file), cachedText);
            }
        }
        final String title = "# " + scenario.topology() + " " + scenario.params() + "\n";
        descriptions.putIfAbsent(scenario.topology() + "\n" + uncached.describe(), title + uncached.describe().stripTrailing() + "\n");
    }

    private static void empty(final Path folder) throws IOException {
        Files.createDirectories(folder);
        for (final Path file : jsonFiles(folder)) {
            Files.delete(file);
        }
    }

    private static List<Path> jsonFiles(final Path folder) throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            return files.filter(file -> file.toString().endsWith(".json")).sorted().toList();
        }
    }
}
