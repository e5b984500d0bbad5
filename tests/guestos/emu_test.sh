#!/bin/sh
# Pagoda on this project's emulator: emu_test.sh EMU KERNEL DISK PFS-CHECK MEMORY COMMANDS...
# vmtest and each of COMMANDS succeed, the machine powers itself off, and what it leaves on the disk is consistent.
emu=$1 kernel=$2 disk=$3 check=$4 memory=$5
shift 5
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
cp --sparse=always "$disk" "$dir/disk.img" || exit 1
{
	echo 'echo kept > /kept'
	echo vmtest
	for command; do
		echo "$command || echo failed: $command"
	done
	echo 'echo that was all'
	echo poweroff
} | "$emu" run --kernel "$kernel" --disk "$dir/disk.img" --memory "$memory" >"$dir/out" 2>&1
status=$?
tr -d '\r' <"$dir/out" >"$dir/text"
cat "$dir/text"
[ $status -eq 0 ] || { echo "exit status $status"; exit 1; }
"$check" "$dir/disk.img" || exit 1
grep -q '^[1-9][0-9]* passed, 0 failed$' "$dir/text" && grep -q '^that was all$' "$dir/text" && ! grep -q '^failed: ' "$dir/text"
