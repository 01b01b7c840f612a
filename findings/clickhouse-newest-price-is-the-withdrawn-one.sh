#!/usr/bin/env bash
# ClickHouse: "the newest version of each row" brings withdrawn prices back.
#
# One expects: argMax(price, version), the usual query for the newest version of a
# row, gives the price of the row with the highest version, and null if that is
# null: the source has withdrawn the price.
# What happens: rows whose price is null are skipped, so argMax gives the price of
# the version before, beside max(version), which is that of the withdrawal. Each
# column of a row then comes from another version: a row that never existed.
# FINAL on a ReplacingMergeTree gives the row as it is.
# For whom: copies of feeds that revise and withdraw (RTE writes null or "Invalid").
set -euo pipefail
tmp=$(mktemp -d)
server=
trap '[ -z "$server" ] || kill "$server"; wait; rm -rf "$tmp"' EXIT
{ apt-get update -qq; apt-get install -y -qq --no-install-recommends clickhouse-server=18.16.1+ds-7.3+b2 clickhouse-client=18.16.1+ds-7.3+b2; } >/dev/null 2>&1
cd "$tmp"
cat >config.xml <<XML
<yandex>
  <logger><level>warning</level><log>$tmp/log</log><errorlog>$tmp/errors</errorlog></logger>
  <listen_host>127.0.0.1</listen_host><tcp_port>9471</tcp_port><path>$tmp/data/</path><tmp_path>$tmp/tmp/</tmp_path>
  <users_config>users.xml</users_config><default_profile>default</default_profile>
  <mark_cache_size>5368709</mark_cache_size><timezone>UTC</timezone>
</yandex>
XML
echo '<yandex><profiles><default/></profiles><quotas><default/></quotas><users><default><password></password>
<networks><ip>127.0.0.1</ip></networks><profile>default</profile><quota>default</quota></default></users></yandex>' >users.xml
clickhouse-server --config-file="$tmp/config.xml" >out 2>&1 &
server=$!
ask() { clickhouse-client --port 9471 "${@:2}" --query "$1"; }
for _ in $(seq 100); do ask 'SELECT 1' >/dev/null 2>&1 && break; sleep 0.2; done
ask 'CREATE TABLE prices (t DateTime, up Nullable(Float64), down Nullable(Float64), version UInt32) ENGINE = ReplacingMergeTree(version) PARTITION BY toYYYYMM(t) ORDER BY t'
ask 'INSERT INTO prices FORMAT CSV' <<<'2026-10-25 00:00:00,128.48,40.5,1'
ask 'INSERT INTO prices FORMAT JSONEachRow' <<<'{"t":"2026-10-25 00:00:00","up":null,"down":39.5,"version":2}'
got=$(ask 'SELECT argMax(up, version), argMax(down, version), max(version) FROM prices GROUP BY t' | tr '\t' ' '
  ask 'SELECT up, down, version FROM prices FINAL' | tr '\t' ' ')
want='128.48 39.5 2
\N 39.5 2'
printf 'ClickHouse 18.16.1\n%s\n' "$got"
if [ "$got" != "$want" ]; then
  echo 'CHANGED: this is no longer what was seen'
  exit 1
fi
echo 'As described.'
