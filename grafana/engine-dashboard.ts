import { dashboardOf } from './dashboard.ts';
import type { Section } from './layout.ts';
import type { Dashboard } from './model.ts';
import { commits } from './sections/commits.ts';
import { delay } from './sections/delay.ts';
import { files } from './sections/files.ts';
import { kafkaCopies, kafkaGroup, kafkaTopics } from './sections/kafka.ts';
import { letters } from './sections/letters.ts';
import { overview } from './sections/overview.ts';
import { processes } from './sections/process.ts';
import { stores } from './sections/stores.ts';
import { tasks } from './sections/tasks.ts';
import { throughput } from './sections/throughput.ts';
import { time } from './sections/time.ts';

/** The rows of "weir: the engine". */
export const engineSections: readonly Section[] = [
  overview,
  throughput,
  time,
  delay,
  letters,
  tasks,
  commits,
  stores,
  processes,
  files,
  kafkaTopics,
  kafkaGroup,
  kafkaCopies,
];

/** "weir: the engine": any application's topology at work, over files or on Kafka. Nothing here knows what is computed. */
export const engineDashboard: Dashboard = dashboardOf(
  {
    uid: 'weir-engine',
    title: 'weir: the engine',
    description:
      'A streams application at work: its input, tasks, commits, stores and processes, whatever its topology is.',
  },
  engineSections,
);
