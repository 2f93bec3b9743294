package weir.bench;

import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;

/**
 * Kafka Streams at the same work as weir. Arguments are name=value:
 *
 * <pre>
 * do=load      brokers topic events     sends the files of a folder to a topic
 * do=run       a peer until everything is processed and committed
 * do=restore   a peer until it is RUNNING, and after that until everything is committed, or with hold=true until it is killed
 * do=write     out                      writes the committed results of a peer to files
 * all but load: peer=dsl|processor|all|keys brokers application state guarantee threads [commit] [session] [records: how many there are to process]
 * </pre>
 */
public final class Main {
    private Main() {}

    public static void main(final String[] arguments) throws Exception {
        final Map<String, String> given = new HashMap<>();
        for (final String argument : arguments) {
            final int equals = argument.indexOf('=');
            given.put(argument.substring(0, equals), argument.substring(equals + 1));
        }
        switch (given.get("do")) {
            case "load" -> Loader.load(given.get("brokers"), given.get("topic"), Path.of(given.get("events")));
            case "run" -> new Runner(given).run();
            case "restore" -> new Runner(given).restore("true".equals(given.get("hold")));
            case "write" -> new Runner(given).write(Path.of(given.get("out")));
            default -> throw new IllegalArgumentException("do=" + given.get("do"));
        }
        System.exit(0);
    }
}
