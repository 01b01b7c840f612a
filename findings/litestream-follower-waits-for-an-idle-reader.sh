#!/usr/bin/env bash
# Litestream: a reader that is idle stops the copy it reads, for itself and all others.
#
# One expects: `litestream restore -f` keeps a copy current for programs that only
# read it; a reader between two queries holds no lock, and one with a long query
# sees the moment at which it began.
# What happens, where two meet: the restored file still is in WAL mode, until a
# change to its first page is applied, and in WAL mode a connection that has read
# once keeps SQLite's shared lock until it is closed. Litestream wants the exclusive
# lock and waits for it without a limit and without a message. The idle reader sees
# the old state for ever, and new readers, whom Litestream's pending lock keeps out,
# get "database is locked". When the idle reader closes its connection, all goes on.
# For whom: dashboards and APIs with a pool of connections on a followed copy of
# the database of a collector.
# Litestream is built first, which takes some minutes if its modules are not cached.
set -euo pipefail
tmp=$(mktemp -d)
started=()
trap 'kill "${started[@]}" 2>/dev/null || true; wait; rm -rf "$tmp"' EXIT
{ apt-get update -qq; apt-get install -y -qq --no-install-recommends sqlite3=3.40.1-2+deb12u2; } >/dev/null 2>&1
GOBIN="$tmp" go install github.com/benbjohnson/litestream/cmd/litestream@v0.5.18 2>/dev/null
cd "$tmp"
sqlite3 prices.db 'PRAGMA journal_mode = WAL; CREATE TABLE price (t INTEGER PRIMARY KEY, eur REAL); INSERT INTO price VALUES (0, 128.48)' >/dev/null
printf 'dbs:\n  - path: %s/prices.db\n    replica: {type: file, path: %s/replica}\n' "$tmp" "$tmp" >litestream.yml
await() { for _ in $(seq 100); do if "$@" >/dev/null 2>&1; then return; fi; sleep 0.2; done; }
./litestream replicate -config litestream.yml >replicate.txt 2>&1 &
started+=($!)
await grep -q 'snapshot complete' replicate.txt
./litestream restore -f -follow-interval 200ms -o copy.db "file://$tmp/replica" >follow.txt 2>&1 &
started+=($!)
await grep -q 'entering follow mode' follow.txt

count() { echo "$1: $(sqlite3 -readonly copy.db 'SELECT count(*) FROM price' 2>&1 | grep -o 'database is locked\|^[0-9]*')"; }
got=$(
  coproc reader { sqlite3 -readonly copy.db; }
  echo 'PRAGMA journal_mode; SELECT count(*) FROM price;' >&"${reader[1]}"
  read -r mode <&"${reader[0]}"
  read -r rows <&"${reader[0]}"
  echo "a reader opens it, in mode $mode: $rows"
  sqlite3 prices.db 'INSERT INTO price VALUES (900, -0.01)'
  sleep 5
  echo "a price comes; updates applied after 5 s: $(grep -c 'applied updates' follow.txt || true)"
  echo 'SELECT count(*) FROM price;' >&"${reader[1]}"
  read -r rows <&"${reader[0]}"
  echo "the idle reader asks again: $rows"
  count 'another reader'
  kill "$reader_PID"
  wait "$reader_PID" 2>/dev/null || true
  await grep -q 'applied updates' follow.txt
  count 'the idle reader is gone, another one'
)
printf 'Litestream 0.5.18, SQLite 3.40.1\n%s\n' "$got"
want='a reader opens it, in mode wal: 1
a price comes; updates applied after 5 s: 0
the idle reader asks again: 1
another reader: database is locked
the idle reader is gone, another one: 2'
if [ "$got" != "$want" ]; then
  echo 'CHANGED: this is no longer what was seen'
  exit 1
fi
echo 'As described.'
