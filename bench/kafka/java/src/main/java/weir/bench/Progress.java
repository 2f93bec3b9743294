package weir.bench;

import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import java.util.function.DoubleSupplier;
import java.util.stream.Collectors;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.ListOffsetsOptions;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.IsolationLevel;
import org.apache.kafka.common.TopicPartition;

/** How far an application has come, as its group and its topics say. */
final class Progress implements AutoCloseable {
    private static final long LOOK_MS = 100;
    /** Looks without a change after which nothing is on its way between tasks any more. */
    private static final int QUIET_LOOKS = 3;
    /** A repartition topic ends in the marks of the last transactions: nobody commits past them. */
    private static final long MOST_MARKS = 8;

    private final Admin admin;
    private final String application;

    Progress(final String brokers, final String application) {
        admin = Admin.create(Map.of("bootstrap.servers", brokers));
        this.application = application;
    }

    /** Waits until the source topic is committed to its end, and the repartition topics too. */
    void untilCommitted(final String source, final DoubleSupplier processed) throws Exception {
        double before = -1;
        for (int quiet = 0; quiet < QUIET_LOOKS; ) {
            Thread.sleep(LOOK_MS);
            final double now = processed.getAsDouble();
            quiet = isCommitted(source) && now == before ? quiet + 1 : 0;
            before = now;
        }
    }

    private boolean isCommitted(final String source) throws Exception {
        final Set<String> topics = admin.listTopics().names().get().stream()
            .filter(name -> name.equals(source) || name.startsWith(application + "-") && name.endsWith("-repartition"))
            .collect(Collectors.toSet());
        final Map<TopicPartition, OffsetSpec> wanted = new HashMap<>();
        admin.describeTopics(topics).allTopicNames().get().values().forEach(topic -> topic.partitions().forEach(
            partition -> wanted.put(new TopicPartition(topic.name(), partition.partition()), OffsetSpec.latest())));
        final var ends = admin.listOffsets(wanted, new ListOffsetsOptions(IsolationLevel.READ_COMMITTED)).all().get();
        final Map<TopicPartition, OffsetAndMetadata> committed =
            admin.listConsumerGroupOffsets(application).partitionsToOffsetAndMetadata().get();
        return ends.entrySet().stream().allMatch(entry -> {
            final long end = entry.getValue().offset();
            final OffsetAndMetadata offset = committed.get(entry.getKey());
            final long marks = entry.getKey().topic().equals(source) ? 0 : MOST_MARKS;
            return end == 0 || offset != null && offset.offset() >= end - marks;
        });
    }

    @Override
    public void close() {
        admin.close();
    }
}
