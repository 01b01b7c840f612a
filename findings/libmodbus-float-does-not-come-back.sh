#!/usr/bin/env bash
# libmodbus: a set point of 24.2 that reads back as -12.1.
#
# One expects: modbus_get_float_abcd() gives what modbus_set_float_abcd() put
# into the two registers, and 24.2 in the order ABCD is 41C1 999A.
# What happens (Debian 12, 3.1.6): on an ordinary little-endian machine the
# setters write the bytes of each register the wrong way round, the getters read
# them right. 24.2 goes out as C141 9A99 and comes back, and is for every device
# that keeps to ABCD, -12.1002; -0.5 becomes 1.75e-38; 1.0 becomes -5.79e-39.
# All four orders are off in the same way; modbus_set_float(), which the manual
# calls deprecated, and modbus_get_float() agree with each other.
# For whom: whoever writes power limits, prices or set points to inverters,
# batteries and meters from C or a wrapper of this library: reading meters
# tests fine, the first written value is wrong. Build the registers yourself.
set -euo pipefail
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
cd "$tmp"
{
  apt-get update -qq
  command -v gcc || apt-get install -y -qq --no-install-recommends gcc libc6-dev
  apt-get download libmodbus5=3.1.6-2.1+deb12u1 libmodbus-dev=3.1.6-2.1+deb12u1
  for package in libmodbus*.deb; do dpkg -x "$package" root; done
} >/dev/null 2>&1
cat > main.c <<'C'
#include <modbus.h>
#include <stdio.h>
#define SHOW(order) \
  modbus_set_float_##order(values[i], r); \
  printf("%5g " #order ": registers %04X %04X, read back %g\n", values[i], r[0], r[1], modbus_get_float_##order(r));
int main(void) {
  const float values[] = {24.2f, -0.5f, 1.0f};
  for (int i = 0; i < 3; i++) {
    uint16_t r[2];
    SHOW(abcd) SHOW(cdab) SHOW(badc) SHOW(dcba)
    modbus_set_float(values[i], r);
    printf("%5g without order: registers %04X %04X, read back %g\n", values[i], r[0], r[1], modbus_get_float(r));
  }
  const uint16_t right[2] = {0x41C1, 0x999A};
  printf("registers 41C1 999A read as abcd: %g\n", modbus_get_float_abcd(right));
  return 0;
}
C
lib=$(dirname "$(find root -name libmodbus.so.5)")
gcc -Iroot/usr/include/modbus main.c -o main -L"$lib" -l:libmodbus.so.5
got=$(LD_LIBRARY_PATH=$lib ./main)
printf 'libmodbus 3.1.6-2.1+deb12u1, %s\n%s\n' "$(uname -m)" "$got"
want=' 24.2 abcd: registers C141 9A99, read back -12.1002
 24.2 cdab: registers 9A99 C141, read back -12.1002
 24.2 badc: registers 41C1 999A, read back -12.1002
 24.2 dcba: registers 999A 41C1, read back -12.1002
 24.2 without order: registers 999A 41C1, read back 24.2
 -0.5 abcd: registers 00BF 0000, read back 1.75406e-38
 -0.5 cdab: registers 0000 00BF, read back 1.75406e-38
 -0.5 badc: registers BF00 0000, read back 1.75406e-38
 -0.5 dcba: registers 0000 BF00, read back 1.75406e-38
 -0.5 without order: registers 0000 BF00, read back -0.5
    1 abcd: registers 803F 0000, read back -5.78564e-39
    1 cdab: registers 0000 803F, read back -5.78564e-39
    1 badc: registers 3F80 0000, read back -5.78564e-39
    1 dcba: registers 0000 3F80, read back -5.78564e-39
    1 without order: registers 0000 3F80, read back 1
registers 41C1 999A read as abcd: 24.2'
if [ "$got" != "$want" ]; then
  echo 'CHANGED: this is no longer what was seen'
  exit 1
fi
echo 'As described.'
