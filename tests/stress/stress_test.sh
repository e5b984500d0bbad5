#!/bin/sh
# stress under seeded preemption: stress_test.sh EMU KERNEL DISK FIRST LAST [ROUNDS]
# Every seed boots a machine of its own (4 to 8 MB, one of the replacement policies) and runs stress with the kernel's books compared all
# the while. The emulator is deterministic, so a seed that fails fails again: the command that does it is printed.
emu=$1 kernel=$2 disk=$3 first=$4 last=$5 rounds=${6:-80}
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
export emu kernel disk rounds dir

cat >"$dir/one" <<'END'
seed=$1
set -- fifo clock second-chance aging random wsclock
shift $((seed % 6))
memory=$((4 + seed % 5))M options="quiet seed=$seed check=2000 policy=$1" input="stress $rounds $seed\npoweroff\n"
printf "$input" | "$emu" run --kernel "$kernel" --disk "$disk" --snapshot --memory $memory --append "$options" \
	--max-instructions 6000000000 >"$dir/$seed.out" 2>&1
status=$?
if [ $status -eq 0 ] && grep -q "^stress: seed $seed: 0 violations" "$dir/$seed.out"; then
	echo >>"$dir/passed"
	n=$(wc -l <"$dir/passed")
	[ $((n % 50)) -ne 0 ] || echo "$n seeds passed"
	grep -h "^stress: seed $seed: 0" "$dir/$seed.out" >>"$dir/summaries"
	rm "$dir/$seed.out"
else
	echo "seed $seed failed, exit status $status:"
	grep 'VIOLATION\|panic\|too few\|too many\|frame \|slot \|space ' "$dir/$seed.out" | head -n 12
	echo "again: printf '$input' | $emu run --kernel $kernel --disk $disk --snapshot --memory $memory --append '$options'"
	echo $seed >>"$dir/failed"
fi
END
seq "$first" "$last" | xargs -P 2 -n 1 sh "$dir/one"
if [ -e "$dir/failed" ]; then
	echo "failed: $(sort -n "$dir/failed" | tr '\n' ' ')"
	exit 1
fi
awk '{ n += $6 } END { print NR " seeds, " n " evictions, no violation" }' "$dir/summaries"
[ "$(wc -l <"$dir/passed")" -eq $((last - first + 1)) ]
