#!/bin/sh
# The same seed is the same run, another seed is another one: same_seed_test.sh EMU KERNEL DISK
# Judged by the whole machine as it is when it powers off: memory, registers, devices, and what was written to the disk.
emu=$1 kernel=$2 disk=$3
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
run() {
	printf 'stress 20 1\npoweroff\n' | "$emu" run --kernel "$kernel" --disk "$disk" --snapshot --memory 4M --append "quiet seed=$1" \
		--save "$dir/$2" >"$dir/$2.out" 2>&1 && grep -q ': 0 violations' "$dir/$2.out" || { cat "$dir/$2.out"; exit 1; }
}
run 5 first
run 5 again
run 6 other
cmp "$dir/first" "$dir/again" || { echo "seed 5 gave two different runs"; exit 1; }
if cmp -s "$dir/first" "$dir/other"; then
	echo "seeds 5 and 6 gave the same run"
	exit 1
fi
