#!/bin/sh
# The image builder and the checker: mkimage_test.sh MKIMAGE PFS-CHECK
# A disk it builds is clean and always the same; what is wrong with arguments or with a disk is said in one line.
mkimage=$1
check=$2
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
cd "$dir" || exit 1
failed=0

# expect STATUS TEXT COMMAND...: the status, and TEXT somewhere in what it prints
expect()
{
	want=$1 text=$2
	shift 2
	"$@" >out 2>&1
	got=$?
	if [ $got -ne "$want" ] || { [ -n "$text" ] && ! grep -q -- "$text" out; }; then
		echo "FAIL: $*: status $got, not $want with '$text':"
		cat out
		failed=1
	fi
}

one_line()
{
	if [ "$(wc -l <out)" -ne 1 ]; then
		echo "FAIL: more than one line:"
		cat out
		failed=1
	fi
}

poke() # OFFSET: write the byte given on standard input there
{
	dd of=bad.img bs=1 seek="$1" conv=notrunc status=none
}

# A disk with small, large and empty files
head -c 100 /dev/zero >small
: >empty
seq 1 800000 >large            # beyond the first indirect block
build="$mkimage -o disk.img --size 16 --swap 8 small:/bin/small empty:/etc/empty large:/large /tmp/ /a/b/c/"
expect 0 '' $build
expect 0 'clean: 3 files, 7 directories' "$check" disk.img
[ "$(stat -c %s disk.img)" -eq $((25 * 1048576)) ] || { echo "FAIL: the disk is $(stat -c %s disk.img) bytes"; failed=1; }
[ "$(du -k disk.img | cut -f1)" -lt 8192 ] || { echo "FAIL: the disk is not sparse"; failed=1; }
mv disk.img first.img
touch -d '2020-01-01' small large
expect 0 '' $build
cmp -s first.img disk.img || { echo "FAIL: two builds of the same files differ"; failed=1; }
SOURCE_DATE_EPOCH=86400 expect 0 '' $build
cmp -s first.img disk.img && { echo "FAIL: SOURCE_DATE_EPOCH changes nothing"; failed=1; }
mv first.img disk.img

# Wrong arguments: one line naming the thing, nothing written
rm -f new.img
expect 1 'missing: No such file' "$mkimage" -o new.img missing:/x; one_line
expect 1 'Is a directory' "$mkimage" -o new.img .:/x; one_line
expect 1 "'nonsense' is neither" "$mkimage" -o new.img nonsense; one_line
expect 1 'the file system is full' "$mkimage" -o new.img --size 1 large:/large; one_line
expect 1 'File exists' "$mkimage" -o new.img small:/x small:/x; one_line
expect 1 'Not a directory' "$mkimage" -o new.img small:/x small:/x/y; one_line
expect 1 'File name too long' "$mkimage" -o new.img "small:/$(head -c 60 /dev/zero | tr '\0' n)"; one_line
expect 2 "size 'abc'" "$mkimage" -o new.img --size abc; one_line
expect 2 "size '-1'" "$mkimage" -o new.img --size -1; one_line
expect 2 "size '99999'" "$mkimage" -o new.img --swap 99999; one_line
expect 2 'no output file' "$mkimage" small:/x; one_line
expect 1 'no/such/dir/new.img' "$mkimage" -o no/such/dir/new.img; one_line
set -- new.img*
[ -e "$1" ] && { echo "FAIL: left behind: $*"; failed=1; }

# Damaged disks. The file system starts at 1 MB; its superblock's words 4, 6 and 8 locate the bitmaps and the inode table.
word() { od -A n -t u4 -j $((1048576 + 4 * $1)) -N 4 disk.img | tr -d ' '; }
inodes=$((1048576 + 4096 * $(word 8)))
blocks=$((1048576 + 4096 * $(word 6)))
root=$((1048576 + 4096 * $(word 12)))      # the first data block is the root directory
damage() # OFFSET BYTE TEXT
{
	cp disk.img bad.img
	printf "$2" | poke "$1"
	expect 1 "$3" "$check" bad.img
}
damage 1048576 'X' 'no PFS magic number'
damage $((1048576 + 8)) '\377' 'block count differs'
damage $((1048576 + 4 * 8 + 3)) '\177' 'inode table outside'
damage $((blocks + 300)) '\001' 'marked in use but nothing owns it'
damage $((blocks + 4)) '\000' 'in use but marked free'
damage $((inodes + 128 + 2)) '\011' 'says 9 links'
damage $((inodes + 128 + 16 + 3)) '\177' 'outside the data area'
damage $((inodes + 128 + 12)) '\007' 'says 7 blocks, has 1'
damage $((inodes + 2 * 128 + 1)) '\000' 'unknown mode'
damage $((root + 2 * 64 + 3)) '\001' 'which does not exist'
damage $((root + 64)) '\003' "'..' leads to inode 3"
damage $((root + 2 * 64 + 4)) '\000' 'name is empty'
printf 'abc' >tiny.img
expect 2 'no partition table' "$check" tiny.img
expect 2 'No such file' "$check" missing.img
cp disk.img bad.img
truncate -s 3M bad.img
expect 2 'not inside the disk' "$check" bad.img
exit $failed
