#!/usr/bin/env python3
"""Loads Courant's datasets into ClickHouse nodes, brings them up to date, and compares them with Courant.

    clickhouse.py create  DATASET...     a table on each node and a Distributed table of the same rows
    clickhouse.py load    DATASET...     the rows from --from to --to, through `courant export`
    clickhouse.py update  DATASET...     the rows that Courant has stored or changed since the last load or update
    clickhouse.py compare DATASET...     counts and sums of every hour, per key, with those that Courant's API gives

Tried with ClickHouse 18.16 of Debian 12. Needs Python 3.9, clickhouse-client, and for load the program and the database of Courant.
The variable API_TOKEN is a token of the API.
"""
import argparse
import collections
import csv
import datetime
import decimal
import json
import os
import subprocess
import sys
import urllib.parse
import urllib.request
import zoneinfo

TYPES = {"number": "Nullable(Decimal(18,6))", "boolean": "Nullable(UInt8)", "string": "Nullable(String)", "instant": "Nullable(DateTime('UTC'))"}


def api(path, **query):
    """Opens an answer of Courant's API."""
    address = f"{options.courant_url}/api/datasets/{path}?{urllib.parse.urlencode(query)}"
    return urllib.request.urlopen(urllib.request.Request(address, headers={"Authorization": f"Bearer {os.environ['API_TOKEN']}"}))


def client(node, statement, *settings):
    host, port = node.rsplit(":", 1)
    return ["clickhouse-client", "--host", host, "--port", port, *settings, "--query", statement]


def ask(statement, node=None):
    """Returns what ClickHouse answers, a list of texts for each row."""
    answer = subprocess.run(client(node or options.nodes[0], statement), check=True, stdout=subprocess.PIPE, text=True).stdout
    return [line.split("\t") for line in answer.splitlines()]


def table(dataset):
    return "courant." + dataset.replace("-", "_")


def create(dataset):
    described = json.load(api(dataset))
    columns = [f"{c['name']} {'String' if c['name'] in described['keys'] else TYPES[c['type']]}" for c in described["columns"]]
    columns = ["period_start_utc DateTime('UTC')", "period_end_utc DateTime('UTC')", *columns, "position UInt64"]
    keys = ", ".join(["period_start_utc", *described["keys"]])
    # All versions of a row must be on one node and in one partition, where the newest replaces the others.
    for node in options.nodes:
        for statement in (
            "CREATE DATABASE IF NOT EXISTS courant",
            f"CREATE TABLE IF NOT EXISTS {table(dataset)}_local ({', '.join(columns)}) ENGINE = ReplacingMergeTree(position) "
            f"PARTITION BY toYYYYMM(period_start_utc) ORDER BY ({keys})",
            f"CREATE TABLE IF NOT EXISTS {table(dataset)} AS {table(dataset)}_local "
            f"ENGINE = Distributed(courant, courant, {dataset.replace('-', '_')}_local, intHash64(toUnixTimestamp(period_start_utc)))",
            "CREATE TABLE IF NOT EXISTS courant.loaded (dataset String, position UInt64) ENGINE = MergeTree ORDER BY (dataset, position)",
        ):
            ask(statement, node)


def insert(dataset, rows, position):
    """Inserts lines of NDJSON, with the position at which they were read, and returns their number."""
    # Without insert_distributed_sync the rows arrive at the other node later.
    into = subprocess.Popen(client(
        options.nodes[0], f"INSERT INTO {table(dataset)} FORMAT JSONEachRow", "--date_time_input_format=best_effort", "--insert_distributed_sync=1",
    ), stdin=subprocess.PIPE)
    end = b',"position":%d}\n' % position
    count = 0
    try:
        for line in rows:
            into.stdin.write(line[:-2] + end)
            count += 1
        into.stdin.close()
    except BrokenPipeError:
        pass  # clickhouse-client has printed why it ended
    if into.wait() != 0:
        sys.exit(f"{dataset}: clickhouse-client ended with {into.returncode}; run the same command again")
    return count


def loaded(dataset):
    """Returns the position up to which all changes are in ClickHouse; 0 if nothing was loaded."""
    return int(ask(f"SELECT max(position) FROM courant.loaded WHERE dataset = '{dataset}'")[0][0])


def note(dataset, position):
    ask(f"INSERT INTO courant.loaded VALUES ('{dataset}', {position})")


def load(dataset):
    # The position comes first: what is committed during the export is then part of the next update.
    with api(f"{dataset}/rows", format="ndjson", limit=1, **{"from": options.first}) as answer:
        position = int(answer.headers["X-Courant-Position"])
    export = subprocess.Popen(
        [options.courant, "export", dataset, "--from", str(options.first), "--to", str(options.last), "--format", "ndjson", "-"], stdout=subprocess.PIPE)
    count = insert(dataset, export.stdout, position)
    if export.wait() != 0:
        sys.exit(f"{dataset}: courant export ended with {export.returncode}; run the same command again")
    # After a first load, changes to other dates may be newer than the last update.
    if loaded(dataset) == 0:
        note(dataset, position)
    print(f"{dataset}: {count} rows, position {position}")


def update(dataset):
    with api(f"{dataset}/rows", format="ndjson", updated_since=loaded(dataset), **{"from": options.first}) as answer:
        position = int(answer.headers["X-Courant-Position"])
        count = insert(dataset, answer, position)
    note(dataset, position)
    print(f"{dataset}: {count} rows, position {position}")


def compare(dataset):
    described = json.load(api(dataset))
    keys = described["keys"]
    numbers = [c["name"] for c in described["columns"] if c["type"] == "number"]
    hours = ask(
        f"SELECT {', '.join(['toUnixTimestamp(toStartOfHour(period_start_utc)) AS hour', *keys])}, "
        f"{', '.join(f'sum({n}), count({n})' for n in numbers)}, count() FROM {table(dataset)} FINAL "
        f"WHERE toDate(period_start_utc, 'Europe/Paris') BETWEEN '{options.first}' AND '{options.last}' "
        f"GROUP BY {', '.join(['hour', *keys])}")
    width = 1 + len(keys)
    theirs = {tuple(h[:width]): [None if v == "\\N" else decimal.Decimal(v) for v in h[width:-1]] for h in hours}
    with api(f"{dataset}/rows", format="csv", resolution="PT1H", stat="sum,count", columns=",".join(["period_start_unix", *numbers]),
             **{"from": options.first, "to": options.last + datetime.timedelta(1)}) as answer:
        ours = {}
        for row in csv.DictReader(line.decode() for line in answer):
            values = [row[f"{n}_{stat}"] for n in numbers for stat in ("sum", "count")]
            ours[(row["period_start_unix"], *(row[key] for key in keys))] = [decimal.Decimal(v) if v else None for v in values]
    differ = [key for key in ours.keys() | theirs.keys() if ours.get(key) != theirs.get(key)]
    for key in sorted(differ)[:5]:
        print(f"{dataset}: {key}: Courant has {ours.get(key)}, ClickHouse {theirs.get(key)}", file=sys.stderr)
    print(f"{dataset}: {sum(int(h[-1]) for h in hours)} rows, {len(ours)} hours of {len(numbers)} columns, {len(differ)} differ")
    paris = zoneinfo.ZoneInfo("Europe/Paris")
    days = collections.Counter(datetime.datetime.fromtimestamp(int(hour), paris).date() for hour in {key[0] for key in theirs})
    for day, count in sorted(days.items()):
        if count != 24:
            print(f"{dataset}: {day} has {count} hours")
    return not differ


parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("command", choices=["create", "load", "update", "compare"])
parser.add_argument("datasets", nargs="+", metavar="DATASET")
parser.add_argument("--nodes", default="127.0.0.1:9100,127.0.0.1:9200", type=lambda text: text.split(","), help="HOST:PORT of each node")
parser.add_argument("--from", dest="first", default="2026-01-01", type=datetime.date.fromisoformat, metavar="DATE")
parser.add_argument("--to", dest="last", default="2026-12-31", type=datetime.date.fromisoformat, metavar="DATE", help="last date, included")
parser.add_argument("--courant", default="courant", metavar="PROGRAM")
parser.add_argument("--courant-url", default="http://127.0.0.1:8080", metavar="URL")
options = parser.parse_args()
try:
    results = [globals()[options.command](dataset) for dataset in options.datasets]
except (OSError, subprocess.CalledProcessError) as fault:
    sys.exit(f"{options.command}: {fault}")
sys.exit(1 if False in results else 0)
