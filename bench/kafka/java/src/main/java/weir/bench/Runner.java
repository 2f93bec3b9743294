package weir.bench;

import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.LongAdder;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.streams.CloseOptions;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.errors.StreamsUncaughtExceptionHandler.StreamThreadExceptionResponse;
import org.apache.kafka.streams.processor.StateRestoreListener;

/** Runs a peer, and tells what it took. */
final class Runner {
    private final Map<String, String> given;
    private final Peer peer;
    private final KafkaStreams streams;
    private final CountDownLatch running = new CountDownLatch(1);
    private final LongAdder restored = new LongAdder();

    Runner(final Map<String, String> given) {
        this.given = given;
        peer = Peer.named(given.get("peer"));
        streams = new KafkaStreams(peer.topology(), properties());
        streams.setUncaughtExceptionHandler(error -> {
            error.printStackTrace();
            return StreamThreadExceptionResponse.SHUTDOWN_CLIENT;
        });
        streams.setStateListener((to, from) -> {
            if (to == KafkaStreams.State.RUNNING) running.countDown();
            if (to == KafkaStreams.State.ERROR) {
                System.err.println("Kafka Streams has failed");
                Runtime.getRuntime().halt(1);
            }
        });
        streams.setGlobalStateRestoreListener(new RestoreCounter());
    }

    /** Kafka Streams' own defaults, but for what is given. */
    private Properties properties() {
        final Properties properties = new Properties();
        properties.put(StreamsConfig.BOOTSTRAP_SERVERS_CONFIG, given.get("brokers"));
        properties.put(StreamsConfig.APPLICATION_ID_CONFIG, given.get("application"));
        properties.put(StreamsConfig.STATE_DIR_CONFIG, given.get("state"));
        final String guarantee = given.get("guarantee");
        properties.put(StreamsConfig.PROCESSING_GUARANTEE_CONFIG,
            guarantee.equals("exactly_once") ? StreamsConfig.EXACTLY_ONCE_V2 : guarantee);
        properties.put(StreamsConfig.NUM_STREAM_THREADS_CONFIG, given.get("threads"));
        if (given.containsKey("commit")) properties.put(StreamsConfig.COMMIT_INTERVAL_MS_CONFIG, given.get("commit"));
        if (given.containsKey("session")) properties.put("session.timeout.ms", given.get("session"));
        return properties;
    }

    void run() throws Exception {
        streams.start();
        if (given.containsKey("records")) untilProcessed(Long.parseLong(given.get("records")));
        else untilCommitted();
        close();
        Figures.tellUsage();
    }

    void restore(final boolean hold) throws Exception {
        final double cpuBefore = Figures.cpuSeconds();
        final long startedAt = System.nanoTime();
        streams.start();
        running.await();
        Figures.tell("{\"running\":{\"sinceStart\":%.3f,\"uptime\":%.3f,\"cpuSeconds\":%.3f,\"startCpuSeconds\":%.3f,\"restored\":%d}}",
            (System.nanoTime() - startedAt) / 1e9, Figures.uptimeSeconds(), Figures.cpuSeconds(),
            Figures.cpuSeconds() - cpuBefore, restored.sum());
        while (hold) Thread.sleep(1000);
        untilCommitted();
        close();
        Figures.tellUsage();
    }

    void write(final Path out) throws Exception {
        streams.start();
        running.await();
        try (ResultFiles files = new ResultFiles(out)) {
            peer.write(streams, files);
        }
        close();
        Figures.tellUsage();
    }

    /** Commits, and leaves the group at once: the next run need not wait for the session's end. */
    private void close() {
        final boolean closed = streams.close(CloseOptions.timeout(Duration.ofMinutes(5))
            .withGroupMembershipOperation(CloseOptions.GroupMembershipOperation.LEAVE_GROUP));
        if (!closed) throw new IllegalStateException("Kafka Streams did not close");
    }

    private void untilProcessed(final long records) throws InterruptedException {
        while (processed() < records) Thread.sleep(20);
    }

    private void untilCommitted() throws Exception {
        try (Progress progress = new Progress(given.get("brokers"), given.get("application"))) {
            progress.untilCommitted(peer.source(), this::processed);
        }
    }

    /** Records that all threads have processed since the start. */
    private double processed() {
        return streams.metrics().values().stream()
            .filter(metric -> metric.metricName().name().equals("process-total")
                && metric.metricName().group().equals("stream-thread-metrics"))
            .mapToDouble(metric -> (double) metric.metricValue())
            .sum();
    }

    private final class RestoreCounter implements StateRestoreListener {
        @Override
        public void onRestoreStart(final TopicPartition partition, final String store, final long from, final long to) {}

        @Override
        public void onBatchRestored(final TopicPartition partition, final String store, final long to, final long count) {
            restored.add(count);
        }

        @Override
        public void onRestoreEnd(final TopicPartition partition, final String store, final long total) {}
    }
}
