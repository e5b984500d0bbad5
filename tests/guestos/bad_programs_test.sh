#!/bin/sh
# Programs that mean harm, on this project's emulator: bad_programs_test.sh EMU KERNEL DISK MEMORY CALLS
# The kernel stays up, has all memory and swap back after each, its books agree, and it says one clear line for each of them.
emu=$1 kernel=$2 disk=$3 memory=$4 calls=$5
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
printf 'bad fork-bomb\nbad memory\nbad recursion\nbad jumps\nbad calls %s\nbad images\nmemcheck\necho still here\npoweroff\n' "$calls" |
	"$emu" run --kernel "$kernel" --disk "$disk" --snapshot --memory "$memory" --append quiet >"$dir/out" 2>&1
status=$?
tr -d '\r' <"$dir/out" >"$dir/text"
grep '^ok \|^FAIL\|^ok: \|panic' "$dir/text"
[ $status -eq 0 ] || { tail -n 30 "$dir/text"; echo "exit status $status"; exit 1; }
for name in fork-bomb memory recursion jumps calls images; do
	grep -q "^ok   bad $name: .*; memory and swap are back\$" "$dir/text" || { echo "bad $name: no ok"; exit 1; }
done
grep -q '^ok: [0-9]* frames' "$dir/text" && grep -q '^still here$' "$dir/text"
