#!/bin/sh
# Ring-0 cases under this emulator, Bochs and QEMU: compare.sh EMU RING0.ELF BENCH_SOURCE_DIR BOCHS_DIFFERENCES QEMU_DIFFERENCES [--write]
# Each case prints a line. The cases in which Bochs differs from us, and in which fields, must be exactly those of the one list; those in
# which QEMU agrees with Bochs against us must be in the other, which also has the most cases of each group in which QEMU may be alone.
# Each list says why. Exit status 77: no Bochs here.
emu=$1 elf=$2 bench=$3 bochs_expected=$4 qemu_expected=$5 write=$6
last=15420     # of QEMU: groups A to K; in the others it stops too often
command -v bochs >/dev/null || exit 77
dir=$(mktemp -d) || exit 1
bochs_pid= qemu_pid=
trap 'for pid in $bochs_pid $qemu_pid; do kill -9 "$pid" 2>/dev/null; done; rm -rf "$dir"' EXIT
here=$(cd "$(dirname "$0")" && pwd)

# qemu ACCELERATOR OUTPUT STARTS: starts QEMU again behind each case that ends it, or keeps it for three seconds.
qemu() {
	next=0 starts=0
	: >"$2"
	while [ "$starts" -lt "$3" ] && [ "$next" -lt "$last" ]; do
		: >"$dir/part"
		qemu-system-i386 -accel "$1" -cpu coreduo -m 64 -nodefaults -display none -no-reboot -debugcon "file:$dir/part" \
			-kernel "$elf" -append "$next $last" </dev/null >/dev/null 2>&1 &
		qemu_pid=$! idle=0 size=-1
		while kill -0 "$qemu_pid" 2>/dev/null && [ "$idle" -lt 30 ]; do
			sleep 0.1
			idle=$((idle + 1)) before=$size size=$(stat -c %s "$dir/part")
			[ "$size" = "$before" ] || idle=0
		done
		kill -9 "$qemu_pid" 2>/dev/null
		wait "$qemu_pid" 2>/dev/null
		qemu_pid=
		grep -aE '^[A-P][0-9a-f]+ v.* o[0-9a-f]+$' "$dir/part" >"$dir/lines"
		cat "$dir/lines" >>"$2"
		grep -aq '^end' "$dir/part" && return
		next=$((next + $(wc -l <"$dir/lines") + 1)) starts=$((starts + 1))
	done
}

cp "$elf" "$dir/bench.elf"
sh "$bench/mkfloppy" "$bench" "$dir" 2>/dev/null || exit 1
sed -i 's/^cpu:.*/cpu: model=p4_prescott_celeron_336, count=1, ips=50000000, reset_on_triple_fault=0/' "$dir/bochsrc"
bochs -q -f "$dir/bochsrc" -rc "$dir/bochsrc.commands" >"$dir/bochs" 2>/dev/null </dev/null &
bochs_pid=$!
"$emu" run --max-instructions 5000000000 "$elf" >"$dir/emu" 2>"$dir/err" </dev/null || { cat "$dir/err"; exit 1; }
: >"$dir/qemu"
if command -v qemu-system-i386 >/dev/null; then
	qemu tcg,thread=single "$dir/qemu" 30
else
	echo 'no qemu-system-i386 here: Bochs is the only judge'
fi
if [ -w /dev/kvm ] && qemu kvm "$dir/kvm" 1 && [ -s "$dir/kvm" ]; then
	echo "this host's processor runs the cases too (KVM), $(wc -l <"$dir/kvm") of them; they are not compared"
else
	echo 'no processor as a judge: KVM is not here, or does not run the cases'
fi
waited=0
until grep -aq '^end' "$dir/bochs"; do
	kill -0 "$bochs_pid" 2>/dev/null && [ "$waited" -lt 200 ] || { echo 'Bochs did not finish the cases'; exit 1; }
	sleep 1
	waited=$((waited + 1))
done

awk -v bochs_out="$dir/bochs.d" -v qemu_out="$dir/qemu.d" -f "$here/compare.awk" "$dir/emu" "$dir/bochs" "$dir/qemu"
cases=$(grep -acE '^[A-P][0-9a-f]+ v' "$dir/emu")
[ "$cases" -gt 20000 ] && [ "$cases" = "$(grep -acE '^[A-P][0-9a-f]+ v' "$dir/bochs")" ] || { echo "Bochs ran another number of cases, or few: $cases"; exit 1; }
if [ "$write" = --write ]; then
	{ grep '^#' "$bochs_expected"; cat "$dir/bochs.d"; } >"$dir/new" && cp "$dir/new" "$bochs_expected"
	{ grep '^#' "$qemu_expected"; sort "$dir/qemu.d"; } >"$dir/new" && cp "$dir/new" "$qemu_expected"
	exit
fi
bad=0
grep -v '^#' "$bochs_expected" | diff - "$dir/bochs.d" >"$dir/diff" || {
	echo 'differences from Bochs that are not expected (>) or no longer there (<), with both lines:'
	cat "$dir/diff"
	sed -n 's/^> \([A-P][0-9a-f]*\) .*/\1/p' "$dir/diff" | head -20 | while read -r id; do
		grep -a "^$id v" "$dir/emu" "$dir/bochs" | sed 's/^.*\///'
	done
	bad=1
}
# What QEMU does not answer in time differs a little from run to run, and so do the numbers.
awk -v seen="$dir/qemu.d" '
	/^both/ { known[$2] = 1 }
	/^max/ { most[$2] = $3 * 1.1 + 10 }
	END {
		while ((getline <seen) > 0)
			if ($1 == "both" ? !($2 in known) : $3 > most[$2]) { print "not expected:", $0; bad = 1 }
		exit bad
	}' "$qemu_expected" || { echo 'both: QEMU and Bochs agree against us; max: QEMU is alone in more cases of a group than before'; bad=1; }
exit $bad
