#!/bin/sh
# Writes expected/, expected-cached/ and topologies.txt from scenarios/ with Kafka Streams itself. Needs Java 17 and Maven.
#
#   run.sh           regenerates them
#   run.sh --check   leaves them alone; prints what would change, and exits 1 if anything would
set -eu
java=$(cd "$(dirname "$0")" && pwd)
parity=$(dirname "$java")

case ${1:-} in
  '') out=$parity ;;
  --check)
    out=$(mktemp -d)
    trap 'rm -rf "$out"' EXIT
    ;;
  *)
    echo "usage: run.sh [--check]" >&2
    exit 2
    ;;
esac

mvn -q -B -f "$java/pom.xml" compile dependency:copy-dependencies -DincludeScope=runtime -DoutputDirectory="$java/target/lib"
java -Xmx512m -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -cp "$java/target/classes:$java/target/lib/*" weir.parity.Main "$parity" "$out"

if [ "$out" != "$parity" ]; then
  same=0
  for part in expected expected-cached topologies.txt; do
    diff -r "$parity/$part" "$out/$part" || same=1
  done
  exit $same
fi
