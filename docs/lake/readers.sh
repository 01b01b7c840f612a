#!/usr/bin/env bash
# Tries ways to let several `serve` read what one writes, with Litestream, and prints what each of them shows. See ../lake.md.
# Needs Go, curl and litestream 0.5.18 on PATH. DAYS=365 can be made smaller, down to 88.
# All is in a temporary folder and on the loopback: ports 8471 (the writer), 8472 and 8473.
. "$(dirname "$0")/courant.sh"
# position prints the position of the newest day-ahead prices that a server shows.
position() {
  curl -sS -o /dev/null -D - -H "Authorization: Bearer $API_TOKEN" "http://127.0.0.1:$1/api/datasets/day-ahead-prices/rows?from=2026-01-01&limit=1&format=csv" |
    tr -d '\r' | sed -n 's/^X-Courant-Position: //p'
}
shows() { [ "$(position "$1")" = "$2" ]; }
serve_on() { # PORT FOLDER
  (cd "$2" && COURANT_SERVER_ADDR=127.0.0.1:$1 exec "$tmp/courant" serve) &
  serving=$!
  started+=("$serving")
  await curl -sf "http://127.0.0.1:$1/readyz"
}
now() { date +%s%3N; }

umask 077
printf 'dbs:\n  - path: %s/courant.db\n    replica: {type: file, path: %s/replica}\n' "$tmp" "$tmp" >litestream.yml
litestream replicate -config litestream.yml >replicate.txt 2>&1 &
started+=($!)
await grep -q 'snapshot complete' replicate.txt

# refresh restores a copy beside the one that is served and restarts the reader on it.
refresh() {
  local begun stopped
  begun=$(now)
  rm -rf new
  mkdir new
  litestream restore -o new/courant.db "file://$tmp/replica" >restore.txt 2>&1
  stopped=$(now)
  if [ -n "${reader:-}" ]; then kill -INT "$reader"; wait "$reader" || true; fi
  rm -rf current
  mv new current
  serve_on 8472 current
  reader=$serving
  echo "refresh: restored in $((stopped - begun)) ms, not served for $(($(now) - stopped)) ms"
}
refresh
refresh
before=$(position 8472)
mkdir followed
litestream restore -f -o followed/courant.db "file://$tmp/replica" >follow.txt 2>&1 &
started+=($!)
await grep -q 'entering follow mode' follow.txt
serve_on 8473 followed

rows -lake-revised
revised=$(position 8471)
echo "writer: position $before, after a revision $revised"
sleep 10
echo "a reader of a restored copy, 10 s later: $(position 8472)"
echo "a reader of a followed file, 10 s later: $(position 8473), files applied: $(grep -c 'applied updates' follow.txt || true)"
refresh
echo "a reader of a restored copy, refreshed: $(position 8472)"
shows 8472 "$revised"
