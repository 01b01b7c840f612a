#!/usr/bin/env bash
# ClickHouse: the setting that lets it read ISO times turns unix seconds into other years.
#
# One expects: date_time_input_format=best_effort reads more forms than basic,
# so 2026-10-25T00:00:00.000Z is now read, and unix seconds still are.
# What happens: in CSV, 1792886400 (the same instant) becomes a time in another
# year, a different one in each row and each run, with no error: the digits are
# added to what the variable held before. The ISO form in the next row is right.
# With basic it is the other way round: unix seconds are right and the ISO form is
# an error. In JSON, unix seconds as numbers are right with both.
# For whom: who loads one file with ISO times and one with unix seconds (such as
# Energy-Charts' unix_seconds) with the settings that worked for the first.
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
ask 'CREATE TABLE prices (t DateTime, row UInt8) ENGINE = Memory'
unix=1792886400
printf '%s,1\n%s,2\n' $unix $unix | ask 'INSERT INTO prices FORMAT CSV' --date_time_input_format=basic
printf '%s,3\n2026-10-25T00:00:00.000Z,4\n%s,5\n' $unix $unix | ask 'INSERT INTO prices FORMAT CSV' --date_time_input_format=best_effort
printf '{"t":%s,"row":6}\n' $unix | ask 'INSERT INTO prices FORMAT JSONEachRow' --date_time_input_format=best_effort
ask "SELECT row, t FROM prices WHERE row IN (3, 5) ORDER BY row" | sed 's/^/for example: /'
got=$(ask "SELECT row, if(toUnixTimestamp(t) = $unix, 'right', 'another time') FROM prices ORDER BY row" | tr '\t' ' ')
want='1 right
2 right
3 another time
4 right
5 another time
6 right'
printf 'ClickHouse 18.16.1\n%s\n' "$got"
if [ "$got" != "$want" ]; then
  echo 'CHANGED: this is no longer what was seen'
  exit 1
fi
echo 'As described.'
