"""The 24 statistics of a grid's events in DuckDB, for comparison: `duckdb_statistics.py PLAN THREADS EVENTS PARK OUT`.

PLAN is `plain` (the events as a table, then 24 GROUP BYs over it, joined with the park) or `expert` (one pass over the files to one row per day,
equipment and type, and 24 small roll-ups of that). Both write the files that `weir export` writes.
What the process took is written to file descriptor 3 as bench/lib/report-usage.mjs does.
"""

import os
import re
import resource
import sys

import duckdb

COLUMNS = """{'id_evt': 'VARCHAR', 'date_occur_evt': 'VARCHAR', 'date_system_evt': 'VARCHAR', 'type_evt': 'VARCHAR',
  'type_equipement': 'VARCHAR', 'id_equipement': 'VARCHAR', 'info_div': 'VARCHAR'}"""
TYPED = COLUMNS.replace("evt': 'VARCHAR', 'date_system_evt': 'VARCHAR'", "evt': 'TIMESTAMP', 'date_system_evt': 'TIMESTAMP'")

# Where each equipment was on each day that has events of it. Of several installations the one with the latest date_deb wins, then the greater id;
# a chain broken anywhere leaves no place.
PLACES = """
create table place as
with installation as (
  select 'C' type_equipement, id_compteur id_equipement, id_pdc place_id, date_deb, date_fin from installation_c
  union all select 'K', id_concentrateurs, id_pdk, date_deb, date_fin from installation_k
), winner as (
  select d.day, i.type_equipement, i.id_equipement, i.place_id
  from (select distinct day, type_equipement, id_equipement from daily) d join installation i using (type_equipement, id_equipement)
  where strptime(i.date_deb, '%Y%m%d') <= d.day and (i.date_fin is null or d.day <= strptime(i.date_fin, '%Y%m%d'))
  qualify row_number() over (partition by d.day, i.type_equipement, i.id_equipement order by i.date_deb desc, i.place_id::bigint desc) = 1
), spot as (
  select w.*, p.id_pdk pdk, p.code_insee_commune commune from winner w join pdc p on p.id_pdc = w.place_id where type_equipement = 'C'
  union all select w.*, w.place_id, null from winner w where type_equipement = 'K'
)
select s.day, s.type_equipement, s.id_equipement, c."Code INSEE" commune, c.id_departement departement, s.pdk, c.id_region region
from spot s join pdk on pdk.id_pdk = s.pdk join communes c on c."Code INSEE" = coalesce(s.commune, pdk.code_insee_commune)
"""

GROUPS = {
    "type": [],
    "equipment": ["type_equipement", "id_equipement"],
    "commune": ["commune"],
    "departement": ["departement"],
    "pdk": ["pdk"],
    "region": ["region"],
}


def main() -> None:
    plan, threads, events, park, out = sys.argv[1:]
    db = duckdb.connect()
    db.execute(f"set threads to {int(threads)}")
    os.makedirs(out, exist_ok=True)
    for name in ("installation_c", "installation_k", "pdc", "pdk", "communes"):
        db.execute(f"create table {name} as select * from read_csv('{park}/{name}.csv', header = true, all_varchar = true)")
    if plan == "plain":
        load_plain(db, events)
    else:
        load_expert(db, events)
    for period in ("day", "week", "month", "year"):
        for grouping, columns in GROUPS.items():
            export(db, plan, period, columns, f"{out}/{period}_{grouping}.csv")


def load_plain(db: duckdb.DuckDBPyConnection, events: str) -> None:
    db.execute(
        "create table event as select *, date_occur_evt::date as day "
        f"from read_csv('{events}/*.csv', header = true, auto_detect = false, columns = {TYPED})"
    )
    db.execute("create view daily as select day, type_equipement, id_equipement from event")
    db.execute(PLACES)


def load_expert(db: duckdb.DuckDBPyConnection, events: str) -> None:
    db.execute(
        "create table daily as select day::date as day, type_equipement, id_equipement, type_evt, n from ("
        "select date_occur_evt[:10] as day, type_equipement, id_equipement, type_evt, count(*) as n "
        f"from read_csv('{events}/*.csv', header = true, auto_detect = false, columns = {COLUMNS}) group by all)"
    )
    db.execute(PLACES)
    db.execute(
        "create table placed as select daily.*, coalesce(commune, 'unknown') commune, coalesce(departement, 'unknown') departement, "
        "coalesce(pdk, 'unknown') pdk, coalesce(region, 'unknown') region "
        "from daily left join place using (day, type_equipement, id_equipement)"
    )


def export(db: duckdb.DuckDBPyConnection, plan: str, period: str, columns: list[str], file: str) -> None:
    start = f"date_trunc('{period}', day)::date::varchar as window_start"
    by_place = columns not in (GROUPS["type"], GROUPS["equipment"])
    if plan == "plain":
        source = "event left join place using (day, type_equipement, id_equipement)" if by_place else "event"
        named = [f"coalesce({column}, 'unknown') as {column}" if by_place else column for column in columns]
        count = "count(*)"
    else:
        source, named, count = "placed", columns, "sum(n)::bigint"
    select = ", ".join([start, *named, "type_evt", f"{count} as n"])
    order = ", ".join(["window_start", *columns, "type_evt"])
    db.execute(f"copy (select {select} from {source} group by all order by {order}) to '{file}' (header, delimiter ',')")


def report_usage() -> None:
    used = resource.getrusage(resource.RUSAGE_SELF)
    with open("/proc/self/status", encoding="ascii") as status:
        peak = int(re.search(r"VmHWM:\s+(\d+) kB", status.read()).group(1)) * 1024
    line = '{"usage":{"cpuSeconds":%f,"peakRssBytes":%d}}\n' % (used.ru_utime + used.ru_stime, peak)
    os.write(3, line.encode())


if __name__ == "__main__":
    main()
    report_usage()
