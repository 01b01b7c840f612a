#!/usr/bin/env bash
# Exports to S3-compatible stores of other makers, and reads the files with DuckDB. See README.md.
# Usage: run.sh [versitygw] [minio]
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../../.." && pwd)
tmp=$(mktemp -d)
export GOBIN=${GOBIN:-$tmp/bin} CGO_ENABLED=0 PEER_ACCESS_KEY=lake-access PEER_SECRET_KEY=lake-secret-key
pid=
trap '[ -z "$pid" ] || kill "$pid" 2>/dev/null || true; rm -rf "$tmp"' EXIT
(cd "$tmp" && npm install --silent --no-audit --no-fund @duckdb/node-api@1.5.6-r.1 >/dev/null && cp "$here/check.mjs" .)
status=0
for store in "${@:-versitygw}"; do
  mkdir -p "$tmp/$store/data/lake" "$tmp/$store/down"
  case $store in
  versitygw)
    [ -x "$GOBIN/versitygw" ] || go install github.com/versity/versitygw/cmd/versitygw@v1.8.0
    ROOT_ACCESS_KEY=$PEER_ACCESS_KEY ROOT_SECRET_KEY=$PEER_SECRET_KEY \
      "$GOBIN/versitygw" --port 127.0.0.1:17070 posix "$tmp/$store/data" >"$tmp/$store/log" 2>&1 &
    ;;
  minio)
    [ -x "$GOBIN/minio" ] || go install github.com/minio/minio@v0.0.0-20260212201848-7aac2a2c5b7c
    MINIO_ROOT_USER=$PEER_ACCESS_KEY MINIO_ROOT_PASSWORD=$PEER_SECRET_KEY \
      "$GOBIN/minio" server --address 127.0.0.1:17070 "$tmp/$store/data" >"$tmp/$store/log" 2>&1 &
    ;;
  *)
    echo "unknown store $store: versitygw or minio"
    exit 2
    ;;
  esac
  pid=$!
  for _ in $(seq 100); do
    (exec 3<>/dev/tcp/127.0.0.1/17070) 2>/dev/null && break
    sleep 0.2
  done
  (cd "$root" && go test ./server/lake -count=1 -run TestAStoreOfOtherMakersHoldsTheFiles -peer http://127.0.0.1:17070 -down "$tmp/$store/down") || { status=1; tail -5 "$tmp/$store/log"; }
  (cd "$tmp" && node check.mjs "$tmp/$store/down") || status=1
  kill "$pid"
  wait "$pid" 2>/dev/null || true
  pid=
done
exit "$status"
