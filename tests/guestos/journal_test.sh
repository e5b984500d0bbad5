#!/bin/sh
# Disks without a log, with one of another size, and with a damaged one; a full disk that is emptied and filled again.
#   journal_test.sh EMU KERNEL MKIMAGE PFS-CHECK PROGRAMS
emu=$1 kernel=$2 mkimage=$3 check=$4 root=$5
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
failed=0

fail()
{
	echo "FAIL: $*"
	failed=1
}

# make BLOCKS: a disk of 4 MB with a log of so many blocks
make()
{
	items=
	for program in init sh echo cat cp rm ls poweroff vmtest; do
		items="$items $root/$program:/bin/$program"
	done
	# shellcheck disable=SC2086
	"$mkimage" -o "$dir/disk" --size 4 --swap 8 --journal "$1" $items /tmp/ /proc/ /dev/ || exit 1
}

# boot COMMANDS: the console is in $dir/out
boot()
{
	printf '%s\npoweroff\n' "$1" | "$emu" run --memory 4M --kernel "$kernel" "$dir/disk" 2>&1 | tr -d '\r' > "$dir/out"
}

said() { grep -q "$1" "$dir/out" || { fail "the console does not say '$1'"; cat "$dir/out"; }; }
clean() { "$check" "$dir/disk" > "$dir/check" || { fail "the disk is not clean"; cat "$dir/check"; }; }

make 0
boot 'cat /proc/journal
cp /bin/sh /tmp/a
vmtest log-fsync log-rename'
said '^mode none'
said '2 passed, 0 failed'
clean

for blocks in 128 512; do
	make $blocks
	boot 'cat /proc/journal
vmtest log-fsync log-full log-group'
	said '^mode redo'
	said "^log_blocks $blocks"
	said '3 passed, 0 failed'
	clean
done

# Blocks that are freed can be used again at once, though only after a commit.
make 128
boot 'cp /bin/vmtest /tmp/1 && cp /bin/vmtest /tmp/2 && cp /bin/vmtest /tmp/3 && cp /bin/vmtest /tmp/4 ; cp /bin/vmtest /tmp/5
cp /bin/vmtest /tmp/6 ; cp /bin/vmtest /tmp/7 ; cp /bin/vmtest /tmp/8 ; cp /bin/vmtest /tmp/9 ; cp /bin/vmtest /tmp/10 ; cp /bin/vmtest /tmp/11
cp /bin/vmtest /tmp/12 ; cp /bin/vmtest /tmp/13 ; cp /bin/vmtest /tmp/14 ; cp /bin/vmtest /tmp/15 ; cp /bin/vmtest /tmp/16
rm /tmp/1 /tmp/2 /tmp/3 && cp /bin/vmtest /tmp/again && cat /tmp/again > /tmp/twice && echo both are there'
said 'o space left'
said '^both are there'
clean

# A name leads to an inode without links (bytes 2 and 3; word 8 of the superblock is where inodes are). Looking at it frees nothing.
make 128
inodes=$(od -An -tu4 -j $((1048576 + 32)) -N 4 "$dir/disk" | tr -d ' ')
printf '\0\0' | dd of="$dir/disk" bs=1 seek=$((1048576 + 4096 * inodes + 7 * 128 + 2)) conv=notrunc 2> /dev/null
boot 'ls /bin
cp /bin/sh /tmp/a
rm /bin/cp
ls /bin/sh'
said 'a name leads to inode 7, which has none'
said '^/bin/sh'
grep -q panic "$dir/out" && fail "the kernel panicked: $(grep panic "$dir/out")"

# Word 10 says where the log is: at a place so high that the sum with its size is small again.
make 128
printf '\360\377\377\377' | dd of="$dir/disk" bs=1 seek=$((1048576 + 40)) conv=notrunc 2> /dev/null
boot 'ls'
said 'lies outside its place'
said "Cannot mount"

# Word 10 of the superblock says where the log is; its first word is a magic number.
make 128
log=$(od -An -tu4 -j $((1048576 + 40)) -N 4 "$dir/disk" | tr -d ' ')
printf 'XXXX' | dd of="$dir/disk" bs=1 seek=$((1048576 + 4096 * log)) conv=notrunc 2> /dev/null
boot 'ls'
said "log is damaged"
said "Cannot mount"
"$check" "$dir/disk" > "$dir/check" && fail "pfs-check accepts a log without a header"
grep -q 'log has no header' "$dir/check" || fail "pfs-check says: $(cat "$dir/check")"
exit $failed
