// Preloaded into a measured process (`node --import`): at its exit it writes what the process took as a line of JSON to file descriptor 3.
import { readFileSync, writeSync } from 'node:fs';

process.on('exit', () => {
  const { userCPUTime, systemCPUTime } = process.resourceUsage();
  const cpuSeconds = (userCPUTime + systemCPUTime) / 1e6;
  writeSync(3, `${JSON.stringify({ usage: { cpuSeconds, peakRssBytes: peakRssBytes() } })}\n`);
});

/** Linux counts the memory of the parent into maxRSS, as it was before the program was loaded; VmHWM is this program's alone. */
function peakRssBytes() {
  try {
    return Number(/VmHWM:\s+(\d+) kB/.exec(readFileSync('/proc/self/status', 'utf8'))[1]) * 1024;
  } catch {
    return process.resourceUsage().maxRSS * 1024;
  }
}
