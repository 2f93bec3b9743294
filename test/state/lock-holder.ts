// A process that opens a database, says "open" or the code of the error, and holds it until its standard input ends.
import { StreamsError } from '../../src/common/errors.ts';
import { openLevelDatabase } from '../../state/level-database.ts';

try {
  await openLevelDatabase(process.argv[2]!);
  console.log('open');
  process.stdin.on('end', () => process.exit(0)).resume();
} catch (error) {
  console.log(StreamsError.is(error) ? error.code : String(error));
}
