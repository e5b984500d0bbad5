#!/bin/sh
# A transaction that a program had not finished when the power went is undone at the next start.
#   txn_test.sh EMU KERNEL DISK PFS-CHECK
emu=$1 kernel=$2 check=$4
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
cp --sparse=always "$3" "$dir/disk" || exit 1

# The input does not end, so the machine would not either: it is stopped in the middle, as by pulling the plug.
mkfifo "$dir/input" && exec 3<> "$dir/input" && echo 'demo-abort --unfinished' >&3 || exit 1
"$emu" run --memory 4M --kernel "$kernel" "$dir/disk" < "$dir/input" > "$dir/first" 2>&1 &
for i in $(seq 300); do
	grep -q 'Pull the plug' "$dir/first" && break
	sleep 0.1
done
kill -9 $!
wait $! 2>/dev/null
grep -q 'Anna has 900' "$dir/first" || { echo "the transaction did not write:"; cat "$dir/first"; exit 1; }
"$check" "$dir/disk" || exit 1
printf 'cat /tmp/accounts\npoweroff\n' | "$emu" run --memory 4M --kernel "$kernel" "$dir/disk" > "$dir/second" 2>&1
tr -d '\r' < "$dir/second" | grep -qx '    100' && grep -q '1 changes of unfinished' "$dir/second" ||
	{ echo "the unfinished transaction was not undone:"; cat "$dir/second"; exit 1; }
"$check" "$dir/disk"
