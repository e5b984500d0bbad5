#!/bin/sh
# PAE walks and PDPTE loads under this emulator, and what Bochs and QEMU say of the same: compare.sh EMU PAE.ELF BENCH_SOURCE_DIR
# Each case is a line (guest.c). A difference that none of the reasons below explains is a failure. Exit status 77: neither is here.
#
# In Bochs 2.7:
#   P 00 01 04 05   every MOV to CR0 loads the PDPTEs; [SDM3A 4.4.1 "PDPTE Registers"]: only when CD, NW or PG changes.
#   P e4..e7        MAXPHYADDR is 40 there and 36 here.
# In QEMU 7.2 (TCG):
#   P               there are no PDPTE registers: the walk reads memory, and no MOV refuses a reserved bit.
#   W, error code   RSVD without P; [SDM3A 4.7 "Page-Fault Exceptions"]: a reserved bit implies that the entry is present.
#   W, PDE          Accessed is set in the PDE although the access faults below; [SDM3A 4.8 "Accessed and Dirty Flags"] allows both.
emu=$1 elf=$2 bench=$3
bochs_pid=
command -v bochs >/dev/null || command -v qemu-system-i386 >/dev/null || exit 77
dir=$(mktemp -d) || exit 1
trap '[ -n "$bochs_pid" ] && kill -9 "$bochs_pid" 2>/dev/null; rm -rf "$dir"' EXIT

fail() {
	echo "$1"
	head -20 "$dir/diff"
	exit 1
}

"$emu" run --memory 16M "$elf" >"$dir/emu.out" 2>"$dir/err" </dev/null
grep -q '^end' "$dir/emu.out" || { cat "$dir/err"; exit 1; }
grep -E '^[WP] ' "$dir/emu.out" >"$dir/emu"
[ "$(grep -c ^W "$dir/emu")" = 49152 ] && [ "$(grep -c ^P "$dir/emu")" = 140 ] || { echo 'some cases are missing'; exit 1; }

if command -v bochs >/dev/null; then
	cp "$elf" "$dir/bench.elf"
	sh "$bench/mkfloppy" "$bench" "$dir" 2>/dev/null || exit 1
	sed -i 's/^cpu:.*/cpu: model=p4_prescott_celeron_336, count=1, ips=50000000, reset_on_triple_fault=0/' "$dir/bochsrc"
	bochs -q -f "$dir/bochsrc" -rc "$dir/bochsrc.commands" >"$dir/bochs.out" 2>/dev/null </dev/null &
	bochs_pid=$!
	waited=0
	until grep -aq '^end' "$dir/bochs.out"; do
		kill -0 "$bochs_pid" 2>/dev/null && [ "$waited" -lt 100 ] || { echo 'Bochs did not finish the cases'; exit 1; }
		sleep 1
		waited=$((waited + 1))
	done
	known='^P (00|01|04|05|e4|e5|e6|e7) '
	grep -aE '^[WP] ' "$dir/bochs.out" | grep -vE "$known" >"$dir/bochs"
	grep -vE "$known" "$dir/emu" | diff - "$dir/bochs" >"$dir/diff" || fail 'Bochs (>) differs:'
	echo "Bochs agrees about $(wc -l <"$dir/bochs") cases"
fi

if command -v qemu-system-i386 >/dev/null; then
	timeout 100 qemu-system-i386 -accel tcg -cpu n270 -m 16 -kernel "$elf" -display none -net none -no-reboot \
		-debugcon "file:$dir/qemu.out" -device isa-debug-exit,iobase=0x501 >/dev/null 2>&1
	grep -q '^end' "$dir/qemu.out" || { echo 'QEMU did not finish the cases'; exit 1; }
	# RSVD implies P; the PDE's column counts when nothing faulted.
	grep '^W' "$dir/qemu.out" | sed -E 's/^(W [0-9a-f]+ 0e .)8/\19/; s/^(W [0-9a-f]+ 0e .)a/\1b/; s/^(W [0-9a-f]+ 0e .)c/\1d/; s/^(W [0-9a-f]+ 0e .)e/\1f/
		s/^(W [0-9a-f]+ 0e .. .) 20/\1 00/' >"$dir/qemu"
	grep '^W' "$dir/emu" | diff - "$dir/qemu" >"$dir/diff" || fail 'QEMU (>) differs:'
	echo "QEMU agrees about $(wc -l <"$dir/qemu") cases"
fi
