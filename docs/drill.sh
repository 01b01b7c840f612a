#!/usr/bin/env bash
# Tries Courant on a bare Debian: first configuration, service, backup, restore, upgrade, boot, kill, hang, removal. The Debian
# is created for the test, has its own systemd, shares the network of this machine, and is removed afterwards.
#
#   docs/drill.sh COURANT [EARLIER]     two programs for Linux; EARLIER creates a database with an earlier schema to upgrade
#
# Needs root, debootstrap, systemd-container and curl; takes some five minutes.
set -euo pipefail

courant=$(realpath "${1:?which courant? docs/drill.sh COURANT [EARLIER]}")
earlier=${2:+$(realpath "$2")}
addr=127.0.0.1:${PORT:-28080}
folder=$(mktemp -d /var/tmp/courant-drill.XXXXXX)
machine=$folder/machine
nspawn='' sources=''

end() {
  [ -z "$sources" ] || kill "$sources" 2>/dev/null || true
  if [ -n "$nspawn" ] && kill -0 "$nspawn" 2>/dev/null; then
    kill "$nspawn" # which has the machine shut down
    wait "$nspawn" || true
  fi
  rm -rf "$folder"
}
trap end EXIT
trap 'exit 130' INT TERM
trap 'echo "drill: line $LINENO: $BASH_COMMAND" >&2' ERR

say() { printf '%4ds  %s\n' $SECONDS "$*"; }
fail() { echo "drill: $*" >&2; exit 1; }

# await SECONDS COMMAND... runs it each second until it succeeds.
await() {
  local until=$((SECONDS + $1))
  shift
  until "$@"; do
    [ $SECONDS -lt $until ] || fail "waited in vain for: $*"
    sleep 1
  done
}

# inside COMMAND... runs it in the machine as root; as_courant as the user of the service, in its folder.
inside() { nsenter --target "$(pgrep -P "$nspawn")" --mount --uts --ipc --pid --root --wd=/ -- "$@"; }
as_courant() { inside setpriv --reuid courant --regid courant --clear-groups env -C /var/lib/courant courant "$@"; }
is_up() { inside systemctl is-system-running 2>/dev/null | grep -E 'running|degraded' > /dev/null; }
is_ready() { curl -sf -o /dev/null "http://$addr/readyz"; }
main_pid() { inside systemctl show --value --property MainPID courant; }
is_new() { [ "$(main_pid)" != "$1" ] && is_ready; }

boot() {
  systemd-nspawn --quiet --register=no --keep-unit --directory="$machine" --boot > "$folder/log" 2>&1 < /dev/null &
  nspawn=$!
  await 60 is_up
}

serves() {
  local endpoint bytes
  for endpoint in day-ahead-prices fcr-capacity afrr-capacity mfrr-capacity afrr-energy mfrr-energy imbalance-prices balancing-capacity balancing-energy; do
    bytes=$(curl -sf -H "Authorization: Bearer $token" "http://$addr/api/$endpoint" | wc -c)
    [ "$bytes" -gt 5000 ] || return 1
  done
}

debootstrap --variant=minbase --include=systemd,systemd-sysv bookworm "$machine" > "$folder/log" 2>&1
say 'a bare Debian'

boot
say "booted, $(inside systemctl --version | head -n 1)"

TMPDIR=$folder "$courant" demo --faults > "$folder/sources" 2> /dev/null &
sources=$!
await 20 grep -q 'ENTSO-E ' "$folder/sources"
rte=$(sed -n 's|^  RTE  *\(http://[^/]*\).*|\1|p' "$folder/sources")
entsoe=$(sed -n 's|^  ENTSO-E  *\(http://[^/]*\).*|\1/api|p' "$folder/sources")
say "simulated sources at $rte and $entsoe"

install -m 755 "$courant" "$machine/usr/local/bin/courant"
inside mkdir -p /var/lib/courant
printf 'simulated-secret\n00000000-0000-4000-8000-000000000000\n' |
  inside env -C /var/lib/courant courant init --yes --rte-client-id simulated-client --rte-client-secret-stdin --entsoe-token-stdin > /dev/null
config=$machine/var/lib/courant/config.yaml
sed -i -e "s|^  addr: 127.0.0.1:8080|  addr: $addr|" -e "/^rte:/,/^[^ ]/s|^  base_url: .*|  base_url: $rte|" -e "/^entsoe:/,/^[^ ]/s|^  base_url: .*|  base_url: $entsoe|" "$config"
[ "$(stat -c %a "$config")" = 600 ] || fail 'config.yaml can be read by others'
say 'courant init'

if [ -n "$earlier" ]; then
  install -m 755 "$earlier" "$machine/usr/local/bin/courant"
  echo 'a phrase of four words' | inside env -C /var/lib/courant courant --config /dev/null user add earlier@example.org --password-stdin > /dev/null
  say "a database by $(inside courant version | head -n 1)"
  install -m 755 "$courant" "$machine/usr/local/bin/courant"
fi

inside courant service install > /dev/null
said=$(inside systemd-analyze verify /etc/systemd/system/courant.service 2>&1) || true
[ -z "$said" ] || fail "systemd-analyze verify: $said"
say "courant service install; $(inside systemd-analyze security --offline=yes /etc/systemd/system/courant.service | tail -n 1 | tr -dc ' -~')"

inside systemctl start courant
is_ready || fail 'started, and not ready'
say "ready when systemctl start returns, $(inside courant version | head -n 1)"
if [ -n "$earlier" ]; then
  as_courant user list | grep earlier@example.org > /dev/null || fail 'the account of the earlier database is gone'
  ls "$machine"/var/lib/courant/courant.db.schema-*.zst > /dev/null || fail 'the earlier database was not saved'
  say "the earlier database is saved as $(cd "$machine/var/lib/courant" && ls courant.db.schema-*.zst) and upgraded"
fi

echo 'a phrase of four words' | as_courant user add anne@example.org --admin --password-stdin > /dev/null
token=$(as_courant token create anne@example.org --name drill)
checks=$(as_courant check) || fail "courant check: $checks"
say 'courant check, as the user of the service'
await 300 serves
say 'eight endpoints'

as_courant backup drill.zst > /dev/null
inside systemctl stop courant
rm "$machine/var/lib/courant/courant.db"
as_courant restore drill.zst > /dev/null
inside systemctl start courant
await 5 serves
say 'backup, stop, restore, start: eight endpoints'

before=$(main_pid)
cp "$courant" "$machine/usr/local/bin/courant.new" && mv "$machine/usr/local/bin/courant.new" "$machine/usr/local/bin/courant"
inside systemctl restart courant
is_new "$before" || fail 'not restarted'
await 5 serves
say 'another file in the place of the program, restart: eight endpoints'

inside systemctl poweroff 2> "$folder/log" # which tells that there is no bus
wait "$nspawn" || true
! is_ready || fail 'the machine is off, and it serves'
boot
await 60 is_ready
await 5 serves
say 'off and on again: it comes up by itself'

before=$(main_pid)
inside systemctl kill --signal=KILL courant
await 60 is_new "$before"
await 5 serves
say 'kill -9: it is started again'

before=$(main_pid)
inside systemctl kill --signal=STOP courant
await 300 is_new "$before"
inside journalctl --quiet --unit courant | grep 'Watchdog timeout' > /dev/null || fail 'it was not the watchdog'
await 5 serves
say 'it hangs: the watchdog has it started again'

inside courant service uninstall > /dev/null
! is_ready || fail 'it still serves'
! inside systemctl cat courant > /dev/null 2>&1 || fail 'its unit is still there'
[ -f "$machine/var/lib/courant/courant.db" ] || fail 'its database is gone'
say 'courant service uninstall: it is gone, and its data stay'
