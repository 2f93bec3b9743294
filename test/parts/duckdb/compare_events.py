"""Reads the Parquet files of a sink with DuckDB, and compares them with the CSV files of the events. Arguments: the folder of the events, that of the sink in Hive layout."""
import json
import sys

import duckdb

events, sunk = sys.argv[1:3]
db = duckdb.connect()
db.execute("set TimeZone = 'UTC'")
db.execute(f"create view sunk as select * from read_parquet('{sunk}/date=*/*.parquet', hive_partitioning = true)")
db.execute(f"""
create view given as select
  id_evt, timezone('Europe/Paris', date_occur_evt) as date_occur_evt, timezone('Europe/Paris', date_system_evt) as date_system_evt,
  type_evt, type_equipement, id_equipement, coalesce(info_div, '') as info_div, date_occur_evt::date as date
from read_csv('{events}/*.csv', header = true, columns = {{
  'id_evt': 'BIGINT', 'date_occur_evt': 'TIMESTAMP', 'date_system_evt': 'TIMESTAMP', 'type_evt': 'VARCHAR',
  'type_equipement': 'VARCHAR', 'id_equipement': 'BIGINT', 'info_div': 'VARCHAR'}})""")


def only_in(one, other):
    return db.execute(f"select count(*) from (from {one} except all from {other})").fetchone()[0]


print(json.dumps({
    "types": dict(db.execute("select column_name, column_type from (describe sunk)").fetchall()),
    "rows": db.execute("select count(*) from sunk").fetchone()[0],
    "rowsOfDays": sorted(set(n for (n,) in db.execute("select count(*) from sunk group by date").fetchall())),
    "days": db.execute("select count(distinct date) from sunk").fetchone()[0],
    "codecs": sorted(set(c for (c,) in db.execute(f"select compression from parquet_metadata('{sunk}/date=*/*.parquet')").fetchall())),
    "missing": only_in("given", "sunk"),
    "added": only_in("sunk", "given"),
}))
