#!/bin/bash
# tests/emu/gdb_test.sh: stock gdb against the emulator: breakpoints, watchpoints, backwards, real and virtual-8086 mode, the monitor; and a
# client that behaves as a course's grader does. Usage: gdb_test.sh EMU GUEST_DIR
. "$(dirname "$0")/testlib.sh"
command -v gdb >/dev/null || { echo "skipped: gdb is not installed"; exit 77; }

# start ARGUMENTS...: the emulator in the background; $port is where it listens.
start() {
	"$emu" "$@" >../guest.out 2>../guest.err </dev/null &
	pid=$!
	for _ in $(seq 200); do
		port=$(sed -n 's/.*127\.0\.0\.1:\([0-9]*\).*/\1/p' ../guest.err | head -1)
		[ -n "$port" ] && return
		sleep 0.05
	done
	fail "the emulator does not listen: $(head -c 300 ../guest.err)"
}

# ends STATUS: the emulator ends by itself with it.
ends() {
	wait "$pid"
	got=$?
	[ "$got" = "$1" ] || fail "the emulator's status is $got, not $1: $(head -c 300 ../guest.err)"
}

# gdb_says LINES...: one gdb session of these commands; its output is in ../out.
with_gdb() {
	args=()
	for line in "$@"; do args+=(-ex "$line"); done
	timeout 60 gdb -q -nx -batch -iex 'set pagination off' -iex 'set confirm off' -iex 'set debuginfod enabled off' \
		-ex "target remote 127.0.0.1:$port" "${args[@]}" "$guests/modes.elf" >../out 2>&1 </dev/null ||
		fail "gdb failed: $(tail -5 ../out)"
}

# --- protected mode: break, watch, forwards and backwards
start debug --gdb 0 "$guests/modes.elf"
with_gdb 'break write_counter' 'continue' 'info registers eip cr0' 'x/i $pc' \
	'watch *(int *)&counter' 'continue' 'print/x *(int *)&counter' 'reverse-stepi' 'print/x *(int *)&counter' 'reverse-continue' \
	'print/x *(int *)&counter' 'delete' 'reverse-continue' 'print $pc == &_start' 'stepi' 'monitor info registers' 'info mem' 'kill'
prints 'Breakpoint 1, '
prints '=> 0x'
prints 'movl   $0x5678,'
prints 'New value = 22136'
prints '$1 = 0x5678'
prints '$2 = 0x1234'
prints 'No more reverse-execution history'
prints 'cr0            0x'
prints '$4 = 1'
grep -qi 'eax' ../out || fail "monitor info registers shows none: $(tail -20 ../out)"
ends 0

# --- real mode and virtual-8086 mode: PC is linear, so that the bytes are those that run
start debug --gdb 0 "$guests/modes.elf"
with_gdb 'break *0x7014' 'set architecture i8086' 'continue' 'x/3i $pc' 'info registers cs' 'print/x $cs_base' \
	'watch *(short *)0x7045' 'continue' 'print/x *(short *)0x7045' 'continue' 'continue' 'print/x $eflags' 'x/i $pc' 'reverse-stepi' 'x/i $pc' 'detach'
prints '=> 0x7014:'
prints '$1 = 0x7000'
prints 'mov    $0x700,%ax'
prints '$2 = 0xbeef'
grep -Eq '\$3 = 0x200[0-9a-f]{2}' ../out || fail "not in virtual-8086 mode: $(tail -8 ../out)"
prints 'incw   (%bx)'
kill $pid
wait $pid

# --- a packet that waits for the end of a run hides neither an interrupt behind it nor that its sender is gone
# answers TEXT: the next bytes of the connection, within some seconds.
answers() {
	read -r -t 10 -N ${#1} got <&3
	[ "$got" = "$1" ] || fail "the peer is told '$got', not '$1'"
}

start run --gdb 0 -S "$guests/spin.elf"
exec 3<>"/dev/tcp/127.0.0.1/$port"
printf '$c#63' >&3
answers '+'
sleep 0.2                                  # it runs
printf '$?#3f' >&3
sleep 0.2
printf '\003' >&3
answers '+$T02thread:1;#d4$T05thread:1;#d7'
printf '$c#63$?#3f' >&3
sleep 0.2
exec 3>&-
exec 3<>"/dev/tcp/127.0.0.1/$port"
printf '\003' >&3
answers '$T02thread:1;#d4'
exec 3>&-
kill $pid
wait $pid

finish
