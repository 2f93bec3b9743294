import { registerCompletionHandler } from 'ava';

/** How long after its last test a file's process may take to end. */
const patienceMs = 20_000;

/**
 * Every test ends what it has begun. A file whose tests leave a server, a client or a timer behind would never end, and no run of tests with it: it is ended, says what holds it, and
 * counts as failed.
 */
registerCompletionHandler(() => {
  setTimeout(() => {
    const held = process.getActiveResourcesInfo().filter((name) => name !== 'Timeout' && name !== 'PipeWrap');
    process.stderr.write(
      `\nThe tests of a file are over, but not all that they began: ${held.join(', ') || 'timers'}. End it in t.teardown.\n`,
    );
    process.exit(1);
  }, patienceMs).unref();
});
