#!/bin/sh
# Debian's busybox, unmodified, on Pagoda: busybox_test.sh EMU KERNEL MKIMAGE PFS-CHECK BUSYBOX EXPECTED ITEMS...
# ash runs busybox_script in 8 MB of memory while another program keeps the swap partition busy, and must print what it prints on
# Linux (EXPECTED; busybox_linux_test.sh is where that comes from). Then vi is used on the console, and the tools that read /proc.
emu=$1 kernel=$2 mkimage=$3 check=$4 busybox=$5 expected=$6
shift 6
here=$(dirname "$0")
if [ ! -x "$busybox" ]; then
	echo "skipped: no $busybox; tools/busybox fetches it, and tools/test does that by itself"
	exit 77
fi
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
"$mkimage" -o "$dir/disk.img" --swap 64 "$@" "$busybox:/bin/busybox" "$here/busybox_script:/script" "$here/busybox_hog:/hog" \
	/tmp/ /proc/ /dev/ || exit 1

# Typed at the console. vi's keys need no Escape: what follows an Escape at once would be taken for a function key.
cat >"$dir/keys" <<'end'
sh /hog &
busybox sh /script 2>&1 | busybox cat
echo the end of the script
vmstat
echo stop > /stop
busybox printf 'one\ntwo\nthree\n' > /v
busybox vi /v
ddp:2s/one/1/
:$
yyp:wq
echo vi left; cat /v
busybox ps; busybox free; busybox uptime; busybox top -b -n 1; busybox df /; busybox mount; busybox stty -a
echo that was all
poweroff
end
"$emu" run --kernel "$kernel" --disk "$dir/disk.img" --memory 8M <"$dir/keys" >"$dir/out" 2>&1
status=$?
tr -d '\r' <"$dir/out" >"$dir/text"
failed=0
fail() { echo "FAILED: $*"; failed=1; }
[ $status -eq 0 ] || fail "exit status $status"
"$check" "$dir/disk.img" || fail "the disk is damaged"

sed -n '/^== 1 /,/^clean$/p' "$dir/text" >"$dir/printed"
diff -u "$expected" "$dir/printed" || fail "Pagoda's output (+) is not Linux' (-)"

# The swap partition was in use all the time: thousands of pages went there and came back.
counted() { awk -v name="$1" '$1 == name { print $2; exit }' "$dir/text"; }
for counter in swap_outs swap_ins; do
	n=$(counted $counter)
	[ "${n:-0}" -ge 2000 ] || fail "the hog was not busy: $counter is ${n:-missing}"
done

# says PATTERN: a line of what the console showed after vi matches it.
sed -n '/^vi left$/,$p' "$dir/text" >"$dir/after"
says() { grep -qE "$1" "$dir/after" || fail "no line matches '$1'"; }
[ "$(sed -n 2,5p "$dir/after" | tr '\n' ' ')" = 'two 1 three three ' ] || fail "vi wrote: $(sed -n 2,5p "$dir/after")"
says '^ +1 0 .*init'
says '^ +[0-9]+ 0 .*busybox ps$'
says '^Mem: +7[0-9]{3} '
says '^Swap: +6[0-9]{4} '
says 'up 0 min,.*load average: '
says '^Mem: [0-9]+K used, [0-9]+K free'
says '^CPU: .*% usr .*% sys .*% idle'
says '^/dev/hda1 +[0-9]+ +[0-9]+ +[0-9]+ +[0-9]+% /$'
says '^/dev/hda1 on / type pfs \(rw\)$'
says '24; columns 80;'
says '^that was all$'
[ $failed = 0 ] && echo "all passed"
exit $failed
