# What vmtest is told on any machine, and how its console is judged; for emu_test.sh and qemu_test.sh, which set dir and check. With EVERY=N in
# the environment only every Nth case runs.

# typed COMMANDS...: what is typed at Pagoda's prompt
typed()
{
	echo 'echo kept > /kept'
	echo "vmtest${EVERY:+ -e $EVERY}"
	for command; do
		echo "$command || echo failed: $command"
	done
	echo 'echo that was all'
	echo poweroff
}

# judged: vmtest and each command succeeded, and the disk that is left is consistent
judged()
{
	tr -d '\r' <"$dir/out" >"$dir/text"
	cat "$dir/text"
	"$check" "$dir/disk.img" || return 1
	grep -q '^[1-9][0-9]* passed, 0 failed$' "$dir/text" && grep -q '^that was all$' "$dir/text" && ! grep -q '^failed: ' "$dir/text"
}
