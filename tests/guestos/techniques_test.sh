#!/bin/sh
# The table of techniques in guestos/README.md names nothing that is not there: techniques_test.sh GUESTOS-FOLDER [README]
# A function must be defined in the file the table says, a program must be on the disk, a case must be in a table of vmtest.
# And help, which tells what there is to try, names every program on the disk.
guestos=$1 readme=${2:-$1/README.md}
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
status=0
wrong() { echo "$*"; status=1; }

sed -n '/^## Techniques/,$p' "$readme" | sed -n '/^| technique /,/^$/p' | sed '1,2d' | grep '^|' >"$dir/rows"
sed -n 's/^	{"\([a-z0-9-]*\)", .*/\1/p' "$guestos"/user/vmtest/*.c >"$dir/cases"
{
	sed -n '/^set(user_programs/,/)/p; /^list(APPEND user_programs/,/)/p' "$guestos/user/CMakeLists.txt" | sed -n 's/^	\([a-z-]*\)$/\1/p'
} >"$dir/programs"
cell() { sed "s/|/\n/g" | sed -n "$(($1 + 1))p" | grep -o '`[^`]*`' | tr -d '`'; }

rows=0 functions=0 programs=0 cases=0
set -f                                  # a case's * is ours, not the shell's
while read -r row; do
	rows=$((rows + 1))
	for place in $(echo "$row" | cell 2); do
		functions=$((functions + 1))
		file=$guestos/${place%:*} name=${place#*:}
		[ -f "$file" ] || { wrong "$place: there is no such file"; continue; }
		grep -Eq "^[a-z][a-z0-9_ \*]*[ \*]$name\(" "$file" || wrong "$place: the file defines no such function"
	done
	for name in $(echo "$row" | cell 3); do
		programs=$((programs + 1))
		grep -Fqx -- "$name" "$dir/programs" || wrong "$name: no such program on the disk"
	done
	for name in $(echo "$row" | cell 4); do
		cases=$((cases + 1))
		pattern=$(echo "$name" | sed 's/\*/.*/')
		grep -Eqx -- "$pattern" "$dir/cases" || wrong "$name: vmtest has no such case"
	done
done <"$dir/rows"
for name in $(grep -vx -e init -e help "$dir/programs"); do
	grep -Eq "^	[{]\"(.*[\" ])?${name}[\" ,;]" "$guestos/user/bin/help.c" || wrong "$name: help does not name it"
done
echo "$rows techniques, $functions functions, $programs programs, $cases names or patterns of cases"
[ $rows -ge 18 ] && [ $functions -ge 30 ] && [ $programs -ge 18 ] && [ $cases -ge 40 ] || wrong "the table is shorter than it was"
exit $status
