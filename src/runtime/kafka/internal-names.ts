/** The topic of a store's changes: `grid-day-equipment-changelog` of application grid. Kafka Streams: `ProcessorStateManager.storeChangelogTopic`. */
export function changelogTopic(applicationId: string, store: string): string {
  return `${applicationId}-${store}-changelog`;
}

/** The topic behind a topology's internal one: `grid-by-commune-repartition`. */
export function repartitionTopic(applicationId: string, topic: string): string {
  return `${applicationId}-${topic}`;
}

/** Whether a topic is an internal one of the application. */
export function isInternalTopic(applicationId: string, topic: string): boolean {
  return topic.startsWith(`${applicationId}-`) && (topic.endsWith('-changelog') || topic.endsWith('-repartition'));
}

/** The id under which a task writes: its latest user fences all earlier ones. */
export function transactionalId(applicationId: string, taskId: string): string {
  return `${applicationId}-${taskId}`;
}
