/** What each example prints. */
export const printed: Readonly<Record<string, string>> = {
  '1-count-words-in-a-test-driver.ts': `
    Topologies:
       Sub-topology: 0
        Source: lines (topics: [lines])
          --> words
        Processor: words (stores: [])
          --> KSTREAM-KEY-SELECT-0000000002
          <-- lines
        Processor: KSTREAM-KEY-SELECT-0000000002 (stores: [])
          --> by-word-repartition-filter
          <-- words
        Processor: by-word-repartition-filter (stores: [])
          --> by-word-repartition-sink
          <-- KSTREAM-KEY-SELECT-0000000002
        Sink: by-word-repartition-sink (topic: by-word-repartition)
          <-- by-word-repartition-filter

       Sub-topology: 1
        Source: by-word-repartition-source (topics: [by-word-repartition])
          --> counts
        Processor: counts (stores: [counts])
          --> changes
          <-- by-word-repartition-source
        Processor: changes (stores: [])
          --> out
          <-- counts
        Sink: out (topic: counts)
          <-- changes

    a 1 @0
    weir 1 @0
    is 1 @0
    a 2 @0
    low 1 @0
    dam 1 @0
    a 3 @1000
    dam 2 @1000
    the store says: a 3
  `,
  '2-daily-sums-of-a-csv-folder.ts': `
    2 files and 5 rows read so far, 1 of them bad
    2024-03-30 (24 h) meter 8: 101 Wh
    2024-03-30 (24 h) meter 9: 40 Wh
    2024-03-31 (23 h) meter 8: 200 Wh
    3 files and 7 rows read so far, 1 of them bad
    2024-03-30 (24 h) meter 8: 101 Wh
    2024-03-30 (24 h) meter 9: 40 Wh
    2024-03-31 (23 h) meter 8: 220 Wh
    2024-04-01 (24 h) meter 9: 7 Wh
    dead: b.csv:3 value: 2024-03-31T08:00:00Z,,none,9
  `,
  '3-join-with-a-versioned-table.ts': `
    meter 8 is in Lyon, meter 9 is not known:
      event of meter 8: first in Lyon
      event of meter 8: second in Lyon
      event of meter 8: third in Lyon
      event of meter 9: fourth in unknown
      Lyon: 3 events
      unknown: 1 events
    a correction: meter 8 was moved to Nice at 1 h, and meter 9 was there all the time:
      event of meter 8: fifth in Nice
      Lyon: 1 events
      Nice: 4 events
  `,
  '4-processor-with-a-store-and-punctuation.ts': `
    minute 0: pulse of meter 8
    minute 5: pulse of meter 9
    minute 58: pulse of meter 9
    minute 61: pulse of meter 9
      alert at minute 61: meter 8 silent since minute 0
    minute 130: pulse of meter 9
    minute 140: pulse of meter 8
  `,
  '5-run-on-kafka.ts': `
    be 2
    not 1
    or 2
    see 1
    to 3
  `,
  '6-follow-a-database.ts': `
    Lyon: 0
    Nice: 2
  `,
  '7-a-service.ts': `
    { key: 'meter-8', value: 42, timestamp: 1 }
    streams_client_state{state="RUNNING",application_id="meters"} 1
  `,
  'readme.ts': `
    [C:8@1517353200000/1517439600000] 1200
    [C:8@1517439600000/1517526000000] 300
  `,
};

/** A text as a reader compares it: without empty lines and the indentation that all lines have. */
export function lines(text: string): string[] {
  const filled = text.split('\n').filter((line) => line.trim() !== '');
  const margin = Math.min(...filled.map((line) => line.search(/\S/)));
  return filled.map((line) => line.slice(margin));
}
