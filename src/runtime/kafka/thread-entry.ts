import { parentPort, workerData } from 'node:worker_threads';
import type { ThreadData } from './thread-messages.ts';
import { runThread } from './thread-run.ts';

// The file that a further stream thread is started with: an entry point of the package.
const port = parentPort!;
await runThread(workerData as ThreadData, port as Parameters<typeof runThread>[1]);
port.close();
