#!/bin/sh
# Pagoda's shell and tools, run on this machine: sh_test.sh ROOT SCRIPT EXPECTED
# They use the system calls of Linux i386, so a Linux that runs 32-bit programs runs them too. Exit status 77: it does not.
root=$1 script=$2 expected=$3
"$root/true" 2>/dev/null || exit 77
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
mkdir "$dir/bin" && cp "$root"/* "$dir/bin" && ln "$dir/bin/test" "$dir/bin/[" || exit 1
cd "$dir" || exit 1
PATH=$dir/bin "$dir/bin/sh" "$script" one 'two  words' >out 2>&1
diff -u "$expected" out || exit 1
# The same commands on standard input, byte by byte, must do the same; only the parameters are missing.
printf 'echo first\nhead -1\nthis line is for head\necho last\n' | PATH=$dir/bin "$dir/bin/sh" >out 2>&1
printf 'first\nthis line is for head\n' >want
head -2 out | diff -u want - || exit 1
