#!/bin/sh
# tests/emu/record_test.sh: --record, --save and --load, and emu replay, from outside. Usage: record_test.sh EMU GUEST_DIR [4M|64M [N]]
# With a size: everything in vmtest, or every Nth case, is recorded on a machine of so much memory, and must run again to the same hash.
. "$(dirname "$0")/testlib.sh"

# record FILE INPUT OPTIONS...: a run of Pagoda; what it printed is in ../first, and its instructions in $count.
record() {
	file=$1
	input=$2
	shift 2
	printf "$input" | "$emu" run --snapshot --record "$file" --status-json status.json "$@" >../first 2>../err ||
		fail "recording with $* failed: $(tail -c 500 ../err)"
	count=$(sed -n 's/.*"instructions": \([0-9]*\).*/\1/p' status.json)
	says "recorded the run in '$file'"
}

# replays FILE: status 0, the same output, one line that tells how many instructions.
replays() {
	run 0 "$emu" replay "$1"
	says "replayed $count instructions, same state (hash "
	[ "$(wc -l <../err)" = 1 ] || fail "not one line: $(head -c 500 ../err)"
	cmp -s ../first ../out || fail "$1 printed something else when it was replayed"
}

if [ "$3" ]; then
	record vmtest.emu "vmtest${4:+ -e $4}\npoweroff\n" --memory "$3"
	grep -q ' passed, 0 failed' ../first || fail "vmtest: $(tail -c 300 ../first)"
	replays vmtest.emu
	finish
fi

# --- recordings -------------------------------------------------------------------------------------------------------
record run.emu 'vmtest text-on-demand data-kept stack-push swapped-buffers\nls /bin | sort >/x\npoweroff\n' --memory 4M
replays run.emu
record run.emu 'ls\npoweroff\n' --memory 4M --tlb entries=64,ways=4 --seed 5
replays run.emu

# It is all in the file: kernel and disk may be gone.
cp "$guests/timer.elf" timer.elf
cp "$guests/diskwrite.elf" diskwrite.elf
truncate -s 16M disk.img
count=
"$emu" run --record disk.emu --kernel diskwrite.elf disk.img </dev/null >../first 2>../err || fail "$(cat ../err)"
prints_first() { grep -qF "$1" ../first || fail "'$1' is missing from: $(head -c 300 ../first)"; }
prints_first ok
grep -q x disk.img || fail "a recorded run does not write its disk"
rm diskwrite.elf disk.img
run 0 "$emu" replay disk.emu
says 'same state'
cmp -s ../first ../out || fail "disk.emu printed something else"

if [ -e /dev/full ]; then
	"$emu" replay disk.emu >/dev/full 2>../err </dev/null
	[ $? = 1 ] || fail "output to a full device did not give status 1"
	says 'could not be written to standard output'
fi

# However it ends, but for kill -9, there is a recording.
for sig in TERM HUP; do
	"$emu" run --record killed.emu timer.elf </dev/null >../out 2>../err &
	pid=$!
	sleep 0.5
	kill -s $sig $pid
	wait $pid
	says "recorded the run in 'killed.emu'"
	run 0 "$emu" replay killed.emu
	rm killed.emu
done
run 120 "$emu" run --record triple.emu "$guests/triple.elf"
run 0 "$emu" replay triple.emu
run 118 "$emu" run --record halt.emu "$guests/halt.elf"
run 0 "$emu" replay halt.emu
run 0 "$emu" run --no-reboot --record reset.emu "$guests/reset.elf"
run 0 "$emu" replay reset.emu

# --- what cannot be --------------------------------------------------------------------------------------------------
refused() {
	run 1 "$emu" replay "$1"
	one_line
	says "$1"
}
size=$(wc -c <run.emu)
for at in 3 17 30 1000 $((size / 2)) $((size - 3)); do
	cp run.emu bad.emu
	printf '\377\376' | dd of=bad.emu bs=1 seek=$at conv=notrunc 2>/dev/null
	refused bad.emu
	head -c "$at" run.emu >bad.emu
	refused bad.emu
done
refused timer.elf
refused nothing.emu
run 2 "$emu" replay
run 2 "$emu" replay run.emu run.emu
run 1 "$emu" run --record nowhere/run.emu timer.elf
one_line
run 1 "$emu" run --record timer.elf timer.elf
says 'it would be overwritten'
head -c 4M /dev/urandom >noise.img
(ulimit -f 4097; exec "$emu" run --memory 2M --record big.emu --max-instructions 1000 timer.elf --disk noise.img >../out 2>../err </dev/null)
says "cannot write 'big.emu'"
[ -z "$(ls big.emu* 2>/dev/null)" ] || fail "half a recording was left: $(ls big.emu*)"

# --- snapshots -------------------------------------------------------------------------------------------------------
run 124 "$emu" run --memory 4M --snapshot --max-instructions 50000000 --save whole.emu
says "saved the machine in 'whole.emu'"
run 124 "$emu" run --memory 4M --snapshot --max-instructions 20000000 --save half.emu
run 124 "$emu" run --load half.emu --max-instructions 30000000 --save half.emu
cmp -s whole.emu half.emu || fail "two halves are not the whole"
# --record may begin there too.
run 124 "$emu" run --load half.emu --max-instructions 10000000 --record more.emu
run 0 "$emu" replay more.emu
says 'replayed 10000000 instructions'
for wrong in '--memory 8M' '--kernel timer.elf' '--disk timer.elf' '--initrd timer.elf' '--append x' '--tlb entries=64,ways=4' '--seed 3' timer.elf; do
	run 1 "$emu" run --load half.emu $wrong
	one_line
	says 'contradicts --load'
done
run 1 "$emu" run --load more.emu
says 'is a recording'
run 1 "$emu" replay half.emu
says 'is a snapshot'
# An image that has changed.
truncate -s 1M data.img
run 124 "$emu" run --max-instructions 100000 --save data.emu timer.elf --disk data.img
run 124 "$emu" run --max-instructions 100000 --load data.emu
echo changed | dd of=data.img conv=notrunc 2>/dev/null
run 1 "$emu" run --max-instructions 100000 --load data.emu
one_line
says data.img
says 'has changed'
finish
