#!/usr/bin/env bash
# ClickHouse: formatDateTime writes a Paris time in the server's zone.
#
# One expects: of a value of type DateTime('Europe/Paris'), toString, toHour,
# toDate and formatDateTime give the same hour and day: those of Paris.
# What happens: formatDateTime takes the server's zone and ignores that of the
# value. On a server in UTC 2026-10-25 00:30 in Paris is written as 2026-10-24
# 22:30: labels are one or two hours early, and the first hours of each delivery
# date are on the day before, while a filter by toDate in the same query is right.
# Only a zone as third argument helps.
# For whom: tables and charts of prices by Paris hour.
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
got=$(ask "SELECT toString(t), toHour(t), toDate(t), formatDateTime(t, '%F %H:%M'), formatDateTime(t, '%F %H:%M', 'Europe/Paris')
  FROM (SELECT toDateTime(arrayJoin([1792881000, 1792884600, 1798761600]), 'Europe/Paris') AS t)" | tr '\t' ',')
want='2026-10-25 00:30:00,0,2026-10-25,2026-10-24 22:30,2026-10-25 00:30
2026-10-25 01:30:00,1,2026-10-25,2026-10-24 23:30,2026-10-25 01:30
2027-01-01 01:00:00,1,2027-01-01,2027-01-01 00:00,2027-01-01 01:00'
printf 'ClickHouse 18.16.1\n%s\n' "$got"
if [ "$got" != "$want" ]; then
  echo 'CHANGED: this is no longer what was seen'
  exit 1
fi
echo 'As described.'
