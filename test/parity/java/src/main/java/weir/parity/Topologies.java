package weir.parity;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.Consumer;

/** The named topologies, in the order of README.md. */
final class Topologies {
    private static final Map<String, Consumer<Wiring>> BY_NAME = new LinkedHashMap<>();

    static {
        StatelessTopologies.addTo(BY_NAME);
        AggregateTopologies.addTo(BY_NAME);
        WindowTopologies.addTo(BY_NAME);
        WindowedKeyTopologies.addTo(BY_NAME);
        TableTopologies.addTo(BY_NAME);
        JoinTopologies.addTo(BY_NAME);
        SharingTopologies.addTo(BY_NAME);
        ProcessorTopologies.addTo(BY_NAME);
    }

    private Topologies() {}

    static Wiring wire(final Scenario scenario, final boolean caching) {
        final Consumer<Wiring> topology = BY_NAME.get(scenario.topology());
        if (topology == null) {
            throw new IllegalArgumentException(scenario.name() + ": there is no topology " + scenario.topology());
        }
        final Wiring wiring = new Wiring(scenario.params(), caching);
        topology.accept(wiring);
        return wiring;
    }
}
