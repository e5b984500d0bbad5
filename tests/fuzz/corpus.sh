#!/bin/sh
# The stored inputs, corpus.hex or another FILE beside it, as files for libFuzzer and back: corpus.sh unpack|pack DIRECTORY [FILE]
hex=$(dirname "$0")/${3:-corpus.hex}
case $1 in
unpack)
	mkdir -p "$2" || exit 1
	n=0
	while read -r line; do
		n=$((n + 1))
		/usr/bin/printf "$(printf %s "$line" | sed 's/../\\x&/g')" >"$2/stored-$n"
	done <"$hex"
	;;
pack)
	for file in "$2"/*; do
		od -An -v -tx1 "$file" | tr -d ' \n'
		echo
	done | sort >"$hex"
	;;
esac
