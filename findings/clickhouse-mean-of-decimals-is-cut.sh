#!/usr/bin/env bash
# ClickHouse: the mean of exact prices is cut to cents, towards zero.
#
# One expects: prices in a Decimal with two decimals, so that sums are exact, and
# avg() gives a floating-point number, or a decimal with more digits, as in
# PostgreSQL, MySQL, DuckDB and Spark.
# What happens: avg() of a Decimal has the scale of its column, and what is behind
# it is cut off, not rounded. The hour of 128.48 and 128.49 has the mean 128.48, of
# -128.48 and -128.49 the mean -128.48, and of -0.01 and 0 the mean 0.00: means of
# positive prices are too low, means of negative ones too high, and an hour that is
# negative on average no longer is. It holds for Nullable, and for sum() / count().
# For whom: hourly means of quarter hours. avg(toFloat64(price)) is right, or a
# column with six decimals.
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
ask 'CREATE TABLE prices (hour UInt8, price Decimal(9, 2)) ENGINE = Memory'
printf '1,128.48\n1,128.49\n2,-128.48\n2,-128.49\n3,-0.01\n3,0\n' | ask 'INSERT INTO prices FORMAT CSV'
got=$(ask 'SELECT hour, avg(price), sum(price) / count(), avg(toFloat64(price)), countIf(price < 0) > 0 AND avg(price) < 0 FROM prices GROUP BY hour ORDER BY hour' | tr '\t' ' ')
want='1 128.48 128.48 128.485 0
2 -128.48 -128.48 -128.485 1
3 0.00 0.00 -0.005 0'
printf 'ClickHouse 18.16.1\n%s\n' "$got"
if [ "$got" != "$want" ]; then
  echo 'CHANGED: this is no longer what was seen'
  exit 1
fi
echo 'As described.'
