#!/usr/bin/env bash
# Exports a year to a bucket, reads it with DuckDB from there and from a copy, and compares it with Courant. See ../lake.md.
# Needs Go, curl, Node.js 20, the npm registry, rclone and fuse3 (Debian: apt-get install rclone fuse3). DAYS=365 can be made smaller, down to 88.
# All is in a temporary folder and on the loopback: ports 8471 and 9555, where gofakes3 is the store of the bucket.
. "$(dirname "$0")/courant.sh"
(cd "$here/../.." && go build -o "$tmp/gofakes3" github.com/johannesboyne/gofakes3/cmd/gofakes3)
npm install --silent --no-audit --no-fund @duckdb/node-api@1.5.6-r.1 >/dev/null
cp "$here/bucket.mjs" .
./gofakes3 -backend memory -host 127.0.0.1:9555 -initialbucket lake >store.txt 2>&1 &
started+=($!)
cat >rclone.conf <<'CONF'
[lake]
type = s3
provider = Other
endpoint = http://127.0.0.1:9555
region = fr
access_key_id = key
secret_access_key = secret
CONF
await curl -s http://127.0.0.1:9555
unset AWS_CA_BUNDLE # rclone 1.60 refuses to start with it
export COURANT_EXPORT_S3_ENDPOINT=http://127.0.0.1:9555 COURANT_EXPORT_S3_BUCKET=lake COURANT_EXPORT_S3_REGION=fr
export COURANT_EXPORT_S3_ACCESS_KEY=key COURANT_EXPORT_S3_SECRET_KEY=secret

compare() {
  ./courant export all --from 2026-01-01 --to "$last" --s3 s3://lake/courant | grep -v ' 0 files written, 0 up to date'
  rclone --config rclone.conf sync lake:lake/courant copy
  rclone --config rclone.conf mount lake:lake/courant mounted --read-only --daemon
  node bucket.mjs "$courant_url" "$last" copy mounted || { fusermount3 -u mounted; return 1; }
  fusermount3 -u mounted
}
mkdir mounted
compare
rows -lake-revised
echo 'revised'
compare
