#!/bin/sh
# Ring-0 cases under this emulator and under Bochs: compare.sh EMU RING0.ELF BENCH_SOURCE_DIR EXPECTED [--write]
# Each case prints a line; the cases whose lines differ, and in which fields, must be exactly those of EXPECTED, which says why
# they may. Exit status 77: no Bochs here.
emu=$1 elf=$2 bench=$3 expected=$4 write=$5
command -v bochs >/dev/null || exit 77
dir=$(mktemp -d) || exit 1
bochs_pid=
trap '[ -n "$bochs_pid" ] && kill -9 "$bochs_pid" 2>/dev/null; rm -rf "$dir"' EXIT
here=$(cd "$(dirname "$0")" && pwd)

cp "$elf" "$dir/bench.elf"
sh "$bench/mkfloppy" "$bench" "$dir" 2>/dev/null || exit 1
sed -i 's/^cpu:.*/cpu: model=p4_prescott_celeron_336, count=1, ips=50000000, reset_on_triple_fault=0/' "$dir/bochsrc"
bochs -q -f "$dir/bochsrc" -rc "$dir/bochsrc.commands" >"$dir/bochs" 2>/dev/null </dev/null &
bochs_pid=$!
"$emu" run "$elf" >"$dir/emu" 2>"$dir/err" </dev/null || { cat "$dir/err"; exit 1; }
waited=0
until grep -aq '^end' "$dir/bochs"; do
	kill -0 "$bochs_pid" 2>/dev/null && [ "$waited" -lt 200 ] || { echo 'Bochs did not finish the cases'; exit 1; }
	sleep 1
	waited=$((waited + 1))
done

for who in emu bochs; do
	grep -aE '^[A-P][0-9a-f]+ v' "$dir/$who" >"$dir/$who.cases"
done
# A case that ended at cccc:cccc ran through memory that belongs to the BIOS.
paste -d '|' "$dir/emu.cases" "$dir/bochs.cases" | awk -F'|' '
	BEGIN {
		split("case vector error task cs eip ss esp flags eax ecx edx ebx ebp esi edi es ds fs gs ldt cr0 cr2 cr3 cr4 dr6 " \
			"tables code stacks data pages v86 opcode", name, " ")
	}
	$1 != $2 {
		n = split($1, ours, " "); split($2, theirs, " "); text = ours[1]
		if (ours[5] == "Lcccc" || ours[5] == "cccc") next
		for (i = 1; i <= n; i++) if (ours[i] != theirs[i]) text = text " " name[i]
		print text
	}' >"$dir/differences"
cases=$(wc -l <"$dir/emu.cases")
[ "$cases" -gt 20000 ] && [ "$cases" = "$(wc -l <"$dir/bochs.cases")" ] || { echo "the two ran different numbers of cases, or few: $cases"; exit 1; }
if [ "$write" = --write ]; then
	{ grep '^#' "$expected"; cat "$dir/differences"; } >"$dir/new" && cp "$dir/new" "$expected"
	exit
fi
grep -v '^#' "$expected" | diff - "$dir/differences" >"$dir/diff" || {
	echo 'differences that are not expected (>) or no longer there (<), with both lines:'
	cat "$dir/diff"
	sed -n 's/^> \([A-P][0-9a-f]*\) .*/\1/p' "$dir/diff" | head -20 | while read -r id; do
		grep "^$id v" "$dir/emu.cases" "$dir/bochs.cases" | sed 's/^.*\///'
	done
	exit 1
}
echo "$cases cases, $(wc -l <"$dir/differences") expected differences"
