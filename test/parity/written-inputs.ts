/** Inputs written by hand, each for one rule. A record a line: `topic key value @timestamp`. */

/** A row keeps the largest time. */
export const timestamps = `
  in a 3 @100
  in a 2 @50
  in a 4 @120
  in a 5 @120
  in b 1 @20
  in b 1 @10`;

/** Windows of 10 ms, grace 5: records whose window ends exactly at stream time minus grace, 1 ms before and 1 ms after it. */
export const closeEquality = `
  in a 1 @12
  in a 2 @24
  in a 3 @9
  in a 4 @14
  in a 5 @25
  in a 6 @19
  in a 8 @20
  in b 9 @34
  in b 10 @20
  in b 11 @35
  in b 12 @29
  in b 13 @30`;

/** The same for windows of 12 ms every 4 ms, grace 3: a record may be late for some of its windows. */
export const hoppingCloseEquality = `
  in a 1 @20
  in a 2 @14
  in a 3 @11
  in a 4 @9
  in a 5 @23
  in a 6 @12
  in a 8 @11
  in a 9 @8
  in a 10 @7
  in a 11 @24`;

/** Records without a key come with times far ahead. */
export const nullKeysMoveNoClock = `
  in a 1 @5
  in null 2 @100
  in a 3 @6
  in b null @30
  in a 4 @9
  in null null @200
  in b 5 @31`;

/** Windows that begin with, contain, and only have null values; a late null value. */
export const nullValues = `
  in a null @1
  in a 1 @2
  in a null @3
  in b null @4
  in b null @5
  in a null @14
  in b 2 @15
  in a null @8`;

/** A window's row keeps the largest time. */
export const windowTimestamps = `
  in a 1 @15
  in a 2 @5
  in a 3 @15
  in a 4 @18
  in a 5 @25
  in a 6 @3
  in a 7 @1
  in a 8 @2`;

/** A window that ends deleted, one that is deleted and comes back, one that never was. */
export const tombstonedWindows = `
  in a 1 @1
  in b 1 @2
  in c 7 @3
  in a 7 @4
  in b 7 @5
  in b 3 @6
  in d 2 @20
  in a 7 @21
  in d 3 @40`;

/** Equal values, older values, tombstones of rows that are there, were there and never were. */
export const repeats = `
  table a 2 @10
  table a 2 @20
  table a 2 @20
  table a 2 @5
  table a 4 @1
  table a null @30
  table a null @31
  table b null @32
  table a 3 @33
  table a 3 @34
  table a 4 @35
  table a 3 @36
  table null 2 @37
  table c 1 @40
  table c 5 @41
  table c null @42
  table c 20 @43
  table c 20 @44`;

/** Values such as `A5` that stay in their group, leave it, come back; no group (`-`), no amount (`0`), deleted. */
export const regroups = `
  table a A5 @10
  table b A2 @11
  table a A5 @12
  table a A1 @13
  table a B1 @14
  table b B2 @5
  table a -1 @15
  table a C1 @16
  table a A0 @17
  table a A5 @18
  table a null @19
  table a null @20
  table c null @21
  table b -2 @22
  table b null @23
  table null A5 @24
  table c A1 @25`;

/** A stream before, at and after the times of a table's versions; null keys and values; a version that is too old. */
export const lookups = `
  in a 1 @5
  table a X1 @10
  in a 2 @5
  in a 3 @10
  in a 4 @15
  table a X2 @20
  in a 5 @15
  in a 6 @25
  table a X3 @12
  in a 7 @11
  in a 8 @12
  in a 9 @19
  in a 10 @30
  table a null @40
  in a 11 @39
  in a 12 @41
  in null 13 @42
  in a null @43
  in null null @44
  in b 14 @45
  table null X4 @46
  in b null @47
  table f X7 @100
  table g X8 @130
  table g X9 @145
  table b X5 @200
  in b 15 @199
  in b 16 @200
  in a 17 @14
  in a 18 @150
  table a X6 @100
  in a 19 @110
  in a 20 @170
  in f 21 @139
  in f 22 @140
  in f 23 @150
  in g 24 @139
  in g 25 @140
  in g 26 @144
  in g 27 @145`;

/** Null keys, null values, and values that give no table key (`-1`), against a global table. */
export const globalNulls = `
  global a X @10
  in k a1 @5
  in null a1 @6
  in k b1 @7
  in null b1 @8
  in k -1 @9
  in null -1 @10
  in k null @11
  in null null @12
  global a null @13
  in k a1 @14
  global null Y @15
  global b Z @16
  in k b1 @1`;

/** Each side first, last, deleted, deleted twice, deleted without having been there; times in and out of order. */
export const bothSides = `
  left a l1 @10
  right a A1 @5
  right a A1 @20
  right a B1 @15
  left a l2 @30
  left a null @31
  left a null @32
  right a null @33
  right a null @34
  left b l3 @35
  right b null @36
  left b null @37
  right c C1 @38
  left c null @39
  left c l4 @12
  right c null @13
  right c C2 @14
  left c l4 @15
  left null l5 @40
  right null A5 @41
  right d A9 @42
  right d A8 @43
  right d null @44
  left e null @50
  right e null @51`;

/** Multiples of 10 met, missed and passed over several at a time; records that do not move the time. */
export const ticks = `
  in a 1 @3
  in a 1 @9
  in a 1 @10
  in a 1 @11
  in a 1 @5
  in b 1 @47
  in b 1 @49
  in b 1 @50
  in null 1 @65
  in b null @60
  in b 1 @70`;

/** What goes to three repartition topics at once: `1+5` is for the first, 5 ms after the record's own time. */
export const heads = `
  in k 1+5 1+0 2+3 2+1 @20
  in k 2+2 1+1 2+0 1+0 3+3 @30
  in k 3+0 2+1 1+2 @40
  in k 1+9 1+0 2+8 2+1 3+7 3+2 @50
  in k 1+1 3+0 @60`;

/** Heads of the same time: Kafka Streams takes them in the order of its heap, which is none that it promises. */
export const ties = `
  in k 1+0 2+0 3+0 @0
  in k 3+0 2+0 1+0 @10
  in k 2+2 1+2 2+1 1+1 3+2 @30
  in k 1+0 1+0 2+0 2+0 3+0 3+0 @40
  in k 3+0 1+0 3+0 2+0 1+0 2+0 @50`;

/** The first record at time 0, then multiples of the interval. */
export const ticksFromZero = `
  in a 1 @0
  in a 1 @9
  in a 1 @10
  in a 1 @10
  in a 1 @20`;

/** Versions that say nothing new when they are put, and others that begin before them later. */
export const saysNothingNew = `
  in a A @10
  in a A @20
  in a B @15
  in b A @10
  in b null @20
  in b null @30
  in b B @22
  in c null @30
  in c B @22
  in d A @10
  in d null @10
  in d null @30
  in d B @20
`;
