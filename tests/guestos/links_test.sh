#!/bin/sh
# A count of links is 16 bits: the operation that would need one more is refused, and changes nothing.
#   links_test.sh EMU KERNEL MKIMAGE PFS-CHECK PROGRAMS LINKS
# Nobody makes 65,535 names for this: the counts are written to the disk, and put right again before it is checked.
emu=$1 kernel=$2 mkimage=$3 check=$4 root=$5 links=$6
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
: > "$dir/empty"

# Inodes are given in this order: /full is 2, /file 5.
"$mkimage" -o "$dir/disk" --size 4 --swap 8 /full/a/ /full/b/ "$dir/empty:/file" /other/ /third/ "$root/init:/bin/init" "$root/sh:/bin/sh" \
	"$root/echo:/bin/echo" "$root/poweroff:/bin/poweroff" "$links:/bin/links" /tmp/ /proc/ /dev/ || exit 1

# The file system starts at 1 MB; word 8 of its superblock says where the inodes are, of 128 bytes each, whose second word of 16 bits counts links.
table=$((1048576 + 4096 * $(od -A n -t u4 -j $((1048576 + 4 * 8)) -N 4 "$dir/disk")))
set_links() # INODE BYTES
{
	printf "$2" | dd of="$dir/disk" bs=1 seek=$((table + 128 * $1 + 2)) conv=notrunc status=none
}
set_links 2 '\377\377'
set_links 5 '\377\377'
"$check" "$dir/disk" | grep -c 'says 65535 links' | grep -qx 2 || { echo "not these inodes:"; "$check" "$dir/disk"; exit 1; }
printf 'links && echo all right\npoweroff\n' | "$emu" run --memory 4M --kernel "$kernel" "$dir/disk" 2>&1 | tr -d '\r' > "$dir/out"
grep -qx 'all right' "$dir/out" || { cat "$dir/out"; exit 1; }
set_links 2 '\004\000'          # its name, ".", a and b
set_links 5 '\001\000'
"$check" "$dir/disk" > "$dir/check" || { cat "$dir/check"; exit 1; }
