#!/bin/sh
# tests/emu/monitor_test.sh: `emu debug` as scripts and people at a line use it: batches and their exit statuses, pipes, what is printed to the
# letter (monitor/*.cmd and *.out), the guest's console in between, a terminal with its keys.
here=$(cd "$(dirname "$0")" && pwd)
update=$3
. "$here/testlib.sh"
export XDG_STATE_HOME="$work/state" LC_ALL=C.UTF-8
unset NO_COLOR TMUX

# batch STATUS GUEST: runs the commands on standard input.
batch() {
	cat >commands
	run "$1" "$emu" debug --batch -x commands "$guests/$2.elf"
}

# --- a guest that nothing wakes: the commands go on. One whose timer ticks is not meant.
batch 0 await <<-'END'
	continue
	print 1 + 1
END
prints 'the guest is idle, and nothing can wake it but input'
prints '2  0x2'
batch 1 await <<-'END'
	wait something
END
says "the guest has not written 'something': the guest is idle"
printf 'continue\n' | "$emu" debug --monitor "$guests/await.elf" >../out 2>../err || fail "an idle guest under piped commands: $(cat ../err)"
prints 'the guest is idle'
batch 0 idle <<-'END'
	continue
END
prints 'the guest powered off'

# --- what a disk writes by itself is seen by who watches memory, forwards and backwards
head -c 1048576 /dev/zero | tr '\0' D >dma.img
cat >commands <<-'END'
	watch phys buffer+512
	continue
	assert long(buffer+512) == 0x44444444
	rcontinue
	assert long(buffer+512) == 0
	assert long(buffer) == 0
	continue
	continue
END
run 0 "$emu" debug --batch -x commands --kernel "$guests/dma.elf" dma.img
prints 'DMA of 0x44444444 at 0x'
[ "$(grep -c 'DMA of 0x44444444' ../out)" = 3 ] || fail "a DMA write is not met again: $(cat ../out)"
prints 'the guest powered off'

# --- exit statuses
printf 'print 1\n' >commands
"$emu" debug --batch -x commands "$guests/triple.elf" >/dev/full 2>full && fail "a full disk behind standard output: status 0"
grep -q 'standard output' full || fail "a full disk behind standard output: $(cat full)"
batch 0 triple <<-'END'
	step
	quit
END
batch 1 triple <<-'END'
	step
	# a comment
	brek 1
	step
END
one=$(cat ../err)
[ "$one" = "emu: commands, line 3: unknown command 'brek'; did you mean 'break'?" ] || fail "the failing line is not named: $one"
batch 122 triple <<-'END'
	assert eax == eax
	assert eax == 12345
END
says 'line 2: assertion failed: eax == 12345'
batch 122 triple <<-'END'
	lua emu.on("fault", function(f) emu.fail("a fault in " .. emu.symbol(f.eip)) end)
	continue
END
says 'a fault in touch_unmapped'
batch 0 poweroff <<-'END'
	continue
END
prints hello
batch 33 exit <<-'END'
	continue
END
batch 120 triple <<-'END'
	continue
	why
END
prints 'triple fault'
batch 118 halt <<-'END'
	c
END
# ... an end that was looked at and left again is none
batch 0 triple <<-'END'
	continue
	rstep
END
run 1 "$emu" debug --batch -x nothing "$guests/triple.elf"
one_line
printf 'continue\ncontinue\nassert 0\n' >commands
run 124 "$emu" debug --timeout 0.5 --batch -x commands "$guests/spin.elf"

# --- a pipe: the commands go on after one that fails
printf 'brek\nprint 7*6\n' | "$emu" debug --monitor "$guests/triple.elf" >../out 2>../err
[ $? = 1 ] || fail "a failed command in a pipe is not told by the status"
prints "unknown command 'brek'"
prints '42  0x2a'

# --- to the letter
for script in "$here"/monitor/*.cmd; do
	name=$(basename "$script" .cmd)
	"$emu" debug --batch -x "$script" "$guests/${name%%-*}.elf" >../out 2>../err </dev/null
	echo "status $?" >>../out
	[ -s ../err ] && sed 's/^emu: .*monitor/emu: monitor/' ../err >>../out
	if [ "$update" = --update ]; then
		cp ../out "$here/monitor/$name.out"
	else
		diff -u "$here/monitor/$name.out" ../out || fail "$name prints something else"
	fi
done

# --- the guest's console: whole lines between the monitor's; what is typed arrives; a moment that is the same each time
talk() {
	batch 0 echo <<-'END'
		wait ready
		type hello\c
		wait llo
		info status
		type q
		continue
	END
}
talk
prints ready
prints 'hello'
mv ../out ../first
talk
cmp -s ../out ../first || fail "two conversations differ: $(diff ../first ../out)"
batch 1 poweroff <<-'END'
	wait what it never says
END
says "has not written 'what it never says'"

# --- JSON: each answer is one line, and one object
printf 'break touch_unmapped --json\nc --json\ninfo registers --json\ninfo break --json\nx/2wx 0x100000 --json\nbrek --json\n' |
	"$emu" debug --monitor "$guests/triple.elf" >../out 2>../err
[ "$(wc -l <../out)" = 6 ] || fail "not a line for each answer: $(cat ../out)"
grep -qv '^{.*}$' ../out && fail "not an object: $(grep -v '^{.*}$' ../out)"
prints '"error":"unknown command'
prints '"kind":"breakpoint"'

# --- traces: formats by name, whole at the end
batch 1 triple <<-'END'
	trace on exc,walk:one.jsonl
	trace on exc:two.txt
END
says 'a trace is being written'
[ -e two.txt ] && fail 'a refused trace left a file'
batch 120 triple <<-'END'
	trace on exc,walk:one.json
	continue
	trace off
END
[ "$(tail -c 2 one.json)" = ']' ] || fail "the viewer's file has no end"
grep -q 'walk: write' one.json || fail "no walk in one.json"

batch 120 triple <<-'END'
	continue
	trace export last.jsonl
	trace export last.txt
END
[ "$(wc -l <last.jsonl)" = "$(wc -l <last.txt)" ] && grep -q '"ev":"exc"' last.jsonl || fail "the last events: $(cat last.jsonl last.txt)"

# --- a terminal
t() { tmux -L emu-monitor-$$ -f /dev/null "$@"; }
screen() { t capture-pane -p -t emu 2>/dev/null; }
wait_for() {
	tries=0
	until screen | grep -qE -- "$1"; do
		tries=$((tries + 1))
		if [ $tries -gt 600 ]; then
			fail "waited in vain for '$1'; the screen: $(screen)"
			t kill-server
			finish
		fi
		sleep 0.05
	done
}
trap 't kill-server 2>/dev/null; rm -rf "$work"' EXIT
export ASAN_OPTIONS=detect_leaks=0          # libedit keeps the names that were given to a key's function
t new-session -d -s emu -x 250 -y 30 "cd $work/files && PS1='shell: ' exec sh -i"
wait_for '^shell:'
t send-keys -t emu -l "$emu debug --monitor $guests/spin.elf; echo status \$?"
t send-keys -t emu Enter
wait_for '^\(emu\)'
t send-keys -t emu -l 'info regis'
t send-keys -t emu Tab
t send-keys -t emu -l 'general'
t send-keys -t emu Enter
wait_for '^EAX'
t send-keys -t emu -l 'continue'
t send-keys -t emu Enter
wait_for 'continue$'
tries=0
until screen | grep -q nterrupted || [ $tries = 100 ]; do        # it has begun to run at some time
	t send-keys -t emu C-c
	sleep 0.1
	tries=$((tries + 1))
done
wait_for 'nterrupted'
t send-keys -t emu C-z                     # the shell has its terminal back, and the debugger has it again
wait_for 'Stopped'
t send-keys -t emu -l 'fg; echo again $?'
t send-keys -t emu Enter
wait_for '^/[^ ]*emu debug --monitor'
t send-keys -t emu -l 'print 6*7'
t send-keys -t emu Enter
wait_for '^42  0x2a'
t send-keys -t emu -l 'given up'
wait_for 'given up$'
t send-keys -t emu C-c
wait_for '^\(emu\) *$'
t send-keys -t emu -l 'step'
t send-keys -t emu Enter
t send-keys -t emu Enter
t send-keys -t emu -l 'print icount'
t send-keys -t emu Enter
wait_for '0x[0-9a-f]+$'
t send-keys -t emu C-d
wait_for 'again 0$'
grep -q '^continue' "$work/state/emu/history" 2>/dev/null || grep -q 'continue' "$work/state/emu/history" || fail "no history of lines was kept"
finish
