package weir.bench;

import com.sun.management.OperatingSystemMXBean;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;

/** What this process has taken so far. Told as lines of JSON on stdout. */
final class Figures {
    private Figures() {}

    static double cpuSeconds() {
        return ((OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean()).getProcessCpuTime() / 1e9;
    }

    /** Since the start of the virtual machine. */
    static double uptimeSeconds() {
        return (System.currentTimeMillis() - ManagementFactory.getRuntimeMXBean().getStartTime()) / 1e3;
    }

    private static long peakRssBytes() {
        try {
            for (final String line : Files.readAllLines(Path.of("/proc/self/status"))) {
                if (line.startsWith("VmHWM:")) return Long.parseLong(line.replaceAll("\\D", "")) * 1024;
            }
        } catch (final IOException error) {
            // Only Linux tells.
        }
        return 0;
    }

    /** The last line of a measured run. */
    static void tellUsage() {
        tell("{\"usage\":{\"cpuSeconds\":%.3f,\"peakRssBytes\":%d}}", cpuSeconds(), peakRssBytes());
    }

    static synchronized void tell(final String format, final Object... values) {
        System.out.println(String.format(Locale.ROOT, format, values));
        System.out.flush();
    }
}
