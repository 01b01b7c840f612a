# Sourced by the scripts beside this file. It builds Courant in a temporary folder, stores made-up rows of 2026 and serves them on
# 127.0.0.1:8471. Needs Go and curl. DAYS=365 can be made smaller, down to 88.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
tmp=$(mktemp -d)
started=()
at_exit() {
  [ ${#started[@]} -eq 0 ] || kill "${started[@]}" 2>/dev/null || true
  wait
  rm -rf "$tmp"
}
trap at_exit EXIT
await() {
  for _ in $(seq 300); do
    if "$@" >/dev/null 2>&1; then return; fi
    sleep 0.2
  done
  echo "not ready: $*"
  return 1
}

days=${DAYS:-365}
last=$(date -u -d "2026-01-01 +$((days - 1)) days" +%F)
export CGO_ENABLED=0
cd "$here/../.."
go build -o "$tmp/courant" .
go test -c -o "$tmp/rows" ./server
# rows stores the rows; with -lake-revised it revises some of them.
rows() { (cd "$here/../../server" && "$tmp/rows" -test.run 'TestRowsForTheLake$' -lake "$tmp" -lake-days "$days" "$@" >"$tmp/rows.txt") || { cat "$tmp/rows.txt"; return 1; }; }
rows

cd "$tmp"
courant_url=http://127.0.0.1:8471
export COURANT_INGEST_ENABLED=false COURANT_SERVER_ADDR=127.0.0.1:8471 COURANT_LOG_LEVEL=error
export COURANT_RTE_CLIENT_ID=none COURANT_RTE_CLIENT_SECRET=none COURANT_ENTSOE_SECURITY_TOKEN=00000000-0000-4000-8000-000000000000
./courant user add reader@courant.example --admin --password-stdin <<<'a phrase of four words' >/dev/null
API_TOKEN=$(./courant token create reader@courant.example --name lake 2>/dev/null)
export API_TOKEN
./courant serve &
started+=($!)
await curl -sf "$courant_url/readyz"
