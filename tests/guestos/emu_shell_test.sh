#!/bin/sh
# Pagoda's shell on Pagoda: emu_shell_test.sh EMU KERNEL DISK EXPECTED
# The script that runs on the host in sh_test.sh is on this disk as /sh_script, and must print the same.
emu=$1 kernel=$2 disk=$3 expected=$4
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
printf 'mkdir /w; cd /w; mkdir bin\necho begin; sh /sh_script one "two  words"; echo the end $?\npoweroff\n' |
	"$emu" run --kernel "$kernel" --disk "$disk" --snapshot --memory 8M >"$dir/out" 2>&1 || { cat "$dir/out"; exit 1; }
tr -d '\r' <"$dir/out" | sed -n '/^begin$/,/^the end /p' >"$dir/text"
{ echo begin; cat "$expected"; echo the end 5; } | diff -u - "$dir/text"
