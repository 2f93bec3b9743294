package weir.parity.random;

import java.lang.reflect.Field;
import java.util.Comparator;
import java.util.PriorityQueue;
import java.util.function.ToIntFunction;
import org.apache.kafka.streams.TopologyTestDriver;
import org.apache.kafka.streams.processor.internals.RecordQueue;

/**
 * Makes the test driver take records of internal topics in an order that can be told beforehand.
 *
 * <p>The driver runs all sub-topologies as one task, and breaks ties between heads of equal time as its heap falls. On Kafka each sub-topology is a
 * task of its own. Here those that lie upstream go first; within one the head with the least time, as always; among equal ones the topic that comes
 * first by name. That is one of the orders that Kafka Streams can take.
 */
final class TaskOrder {
    private TaskOrder() {}

    static void set(final TopologyTestDriver driver, final ToIntFunction<String> rankOfTopic) {
        try {
            final Object task = field(TopologyTestDriver.class, "task").get(driver);
            if (task == null) {
                return;
            }
            final Object group = field(task.getClass(), "partitionGroup").get(task);
            final Field queues = field(group.getClass(), "nonEmptyQueuesByTime");
            queues.set(group, new PriorityQueue<>(Comparator
                .<RecordQueue>comparingInt(queue -> rankOfTopic.applyAsInt(queue.partition().topic()))
                .thenComparingLong(RecordQueue::headRecordTimestamp)
                .thenComparing(queue -> queue.partition().topic())));
        } catch (final ReflectiveOperationException e) {
            throw new IllegalStateException("the test driver is not built as it was in Kafka Streams 4.3.1", e);
        }
    }

    private static Field field(final Class<?> type, final String name) throws NoSuchFieldException {
        final Field field = type.getDeclaredField(name);
        field.setAccessible(true);
        return field;
    }
}
