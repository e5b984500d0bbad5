#!/bin/sh
# vmtest on every machine, with every size of memory, under every replacement policy:
#   matrix.sh [-m MACHINES] [-r MEGABYTES] [-p POLICIES] [-t TESTS] [-j JOBS] EMU KERNEL MKIMAGE PFS-CHECK ITEMS...
# Each option is a list in one argument; by default all. Machines are emu (this project's), qemu and bochs. The disk is made of ITEMS
# and an /etc/rc that runs vmtest and switches the machine off, so nobody types and all three see the same disk. Bochs has no loader for
# kernels: there a CD made by tools/mkiso boots. A cell of the table is tests passed/failed, and fails also when the machine did not
# switch itself off, another policy or size was in force than the one asked for, or the disk it leaves is not consistent.
# Exit status 77: one of the machines is not installed here.
machines='emu qemu bochs' memories='4 8 16 64' policies='fifo clock second-chance aging random wsclock' tests='' jobs=2
while getopts m:r:p:t:j: option; do
	case $option in
	m) machines=$OPTARG ;;
	r) memories=$OPTARG ;;
	p) policies=$OPTARG ;;
	t) tests=$OPTARG ;;
	j) jobs=$OPTARG ;;
	*) exit 2 ;;
	esac
done
shift $((OPTIND - 1))
emu=$1 kernel=$2 mkimage=$3 check=$4
shift 4
here=$(cd "$(dirname "$0")" && pwd)
mkiso=$here/../../tools/mkiso
for machine in $machines; do
	case $machine in
	qemu) needed=qemu-system-i386 ;;
	bochs) needed='bochs grub-mkimage xorriso' ;;
	*) needed= ;;
	esac
	for program in $needed; do
		[ $program != grub-mkimage ] || [ -d /usr/lib/grub/i386-pc ] && command -v $program >/dev/null || { echo "skipped: $machine needs $program, which is not here"; exit 77; }
	done
done
dir=$(mktemp -d) || exit 1
touch "$dir/results"
trap 'rm -rf "$dir"' EXIT
printf 'policy\nvmtest %s\npolicy\necho that was all\npoweroff\n' "$tests" >"$dir/rc"
"$mkimage" -o "$dir/disk.img" --swap 320 "$@" "$dir/rc:/etc/rc" /tmp/ /proc/ /dev/ || exit 1
truncate -s %516096 "$dir/disk.img"    # whole cylinders of 16 heads and 63 sectors: Bochs does not show a rest
export emu kernel check dir here mkiso

cat >"$dir/cell" <<'END'
machine=$1 memory=$2 policy=$3 cell=$dir/$1-$2-$3 options=policy=$3
mkdir "$cell" || exit 1
cp --sparse=always "$dir/disk.img" "$cell/disk.img"
case $machine in
emu)
	timeout 3600 "$emu" run --kernel "$kernel" --disk "$cell/disk.img" --memory ${memory}M --append "$options" >"$cell/serial" ;;
qemu)
	timeout 3600 qemu-system-i386 -kernel "$kernel" -append "$options" -drive "file=$cell/disk.img,format=raw,if=ide" -m "$memory" \
		-display none -monitor none -serial stdio -no-reboot >"$cell/serial" ;;
bochs)
	"$mkiso" "$kernel" "$cell/boot.iso" "$options"
	sed "s#@DIR@#$cell#; s#@MEMORY@#$memory#" "$here/bochsrc.in" >"$cell/bochsrc"
	echo c >"$cell/commands"
	timeout 3600 bochs -q -f "$cell/bochsrc" -rc "$cell/commands" >"$cell/console" ;;
esac </dev/null 2>"$cell/errors"
tr -d '\r' <"$cell/serial" >"$cell/text"
result=$(sed -n 's/^\([0-9]*\) passed, \([0-9]*\) failed$/\1\/\2/p' "$cell/text")
case $result in
[1-9]*/0) why= ;;
*/*) why="failed: $(grep '^FAIL' "$cell/text")" ;;
*) result=none why="no result; the last lines: $(tail -n 5 "$cell/text"; tail -n 5 "$cell/errors")" ;;
esac
# The name that policy(1) prints first, before and after; what the kernel found of the memory, less than which it has.
[ "$(grep -c "^$policy\$" "$cell/text")" = 2 ] || why="$why; another policy than $policy was in force"
awk -v asked=$((memory * 1024)) '/^memory: / { ok = $2 <= asked && $2 >= asked * 0.8 } END { exit !ok }' "$cell/text" ||
	why="$why; memory is not $memory MB: $(grep '^memory: ' "$cell/text")"
grep -q '^that was all$' "$cell/text" || why="$why; the script did not end"
"$check" "$cell/disk.img" >"$cell/checked" 2>&1 || why="$why; the disk is not consistent: $(cat "$cell/checked")"
[ -z "$why" ] || result="$result!"
echo "$machine $memory $policy $result" >>"$dir/results"
printf '%s %s MB %s: %s%s\n' "$machine" "$memory" "$policy" "$result" "${why:+  $why}"
rm -r "$cell"
END
for machine in $machines; do
	for memory in $memories; do
		for policy in $policies; do
			echo "$machine $memory $policy"
		done
	done
done >"$dir/cells"
xargs -P "$jobs" -L 1 sh "$dir/cell" <"$dir/cells"

echo "vmtest: tests passed/failed; ! marks a cell that failed"
awk -v policies="$policies" '
	FILENAME ~ /results$/ { table[$1, $2, $3] = $4; next }
	FNR == 1 {
		n = split(policies, policy, " ")
		printf "%-6s %3s", "", "MB"
		for (i = 1; i <= n; i++)
			printf " %13s", policy[i]
		print ""
	}
	{ cells++ }
	!(($1, $2) in seen) {
		seen[$1, $2]
		printf "%-6s %3d", $1, $2
		for (i = 1; i <= n; i++)
			printf " %13s", table[$1, $2, policy[i]] ? table[$1, $2, policy[i]] : "none!"
		print ""
	}
	table[$1, $2, $3] !~ /^[1-9][0-9]*\/0$/ { bad++ }
	END {
		print cells - bad " of " cells " cells passed"
		exit bad || !cells
	}' "$dir/results" "$dir/cells"
