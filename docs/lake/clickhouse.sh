#!/usr/bin/env bash
# Loads a year into two ClickHouse servers, revises it, brings them up to date, and compares them with Courant. See ../lake.md.
# Needs Go, curl, Python 3.9 and ClickHouse (Debian: apt-get install clickhouse-server clickhouse-client). DAYS=365 can be made smaller, down to 88.
# All is in a temporary folder and on the loopback: ports 8471, 9100 to 9102 and 9200 to 9202.
. "$(dirname "$0")/courant.sh"

for port in 9100 9200; do
  mkdir "$port"
  cat >"$port/config.xml" <<XML
<yandex>
  <logger><level>warning</level><log>$tmp/$port/log</log><errorlog>$tmp/$port/errors</errorlog></logger>
  <listen_host>127.0.0.1</listen_host>
  <tcp_port>$port</tcp_port><http_port>$((port + 1))</http_port><interserver_http_port>$((port + 2))</interserver_http_port>
  <path>$tmp/$port/data/</path><tmp_path>$tmp/$port/tmp/</tmp_path>
  <users_config>users.xml</users_config><default_profile>default</default_profile>
  <mark_cache_size>268435456</mark_cache_size>
  <timezone>UTC</timezone>
  <remote_servers><courant>
    <shard><replica><host>127.0.0.1</host><port>9100</port></replica></shard>
    <shard><replica><host>127.0.0.1</host><port>9200</port></replica></shard>
  </courant></remote_servers>
</yandex>
XML
  cat >"$port/users.xml" <<'XML'
<yandex>
  <profiles><default><max_memory_usage>2000000000</max_memory_usage></default></profiles>
  <users><default>
    <password></password><networks><ip>127.0.0.1</ip></networks><profile>default</profile><quota>default</quota>
  </default></users>
  <quotas><default/></quotas>
</yandex>
XML
done
start_node() {
  clickhouse-server --config-file="$tmp/$1/config.xml" >"$1/out" 2>&1 &
  started+=($!)
  await clickhouse-client --port "$1" --query 'SELECT 1'
}
start_node 9100
start_node 9200
second=${started[-1]}

lake() {
  local begun=$SECONDS
  python3 "$here/clickhouse.py" "$1" afrr-energy day-ahead-prices afrr-capacity --to "$last" --courant ./courant --courant-url "$courant_url" || return
  echo "$1: $((SECONDS - begun)) s"
}
lake create
lake load
lake compare
rows -lake-revised
if lake compare >/dev/null 2>&1; then
  echo 'the revisions are not in Courant'
  exit 1
fi
kill "$second"
wait "$second" || true
if lake update 2>errors.txt; then
  echo 'an update without the second node does not fail'
  exit 1
fi
echo 'revised; an update without the second node fails; with it:'
start_node 9200
lake update
lake compare
