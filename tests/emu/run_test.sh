#!/bin/sh
# tests/emu/run_test.sh: what `emu run` prints, writes and returns.
. "$(dirname "$0")/testlib.sh"

# --- exit statuses
run 0 "$emu" run "$guests/poweroff.elf"
[ "$(cat ../out)" = hello ] || fail "poweroff printed: $(cat ../out)"
[ -s ../err ] && fail "messages without cause: $(cat ../err)"
run 33 "$emu" run "$guests/exit.elf"
run 118 "$emu" run "$guests/halt.elf"
says 'halted with interrupts disabled'
run 118 "$emu" run "$guests/ferr.elf"
says 'an x87 error is reported as interrupt 13'
run 124 "$emu" run --timeout 0.3 "$guests/spin.elf"
says timeout
# ... also when each instruction takes long, when nobody takes the output, and when nobody gives input or ends it.
started=$(date +%s)
run 124 "$emu" run --timeout 0.3 --trace cpu:slow.log "$guests/spin.elf"
rm -f slow.log
{ "$emu" run --timeout 0.3 "$guests/flood.elf" 2>../err; echo $? >../status; } </dev/null | { sleep 8; cat >/dev/null; } &
sleep 4
[ "$(cat ../status)" = 124 ] || fail "output that nobody takes outlasts --timeout"
[ $(($(date +%s) - started)) -lt 12 ] || fail "--timeout 0.3 took $(($(date +%s) - started)) seconds"
run 124 "$emu" run --max-instructions 1000000 "$guests/spin.elf"
says 'after 1000000 instructions'
run 0 "$emu" run "$guests/reset.elf"
prints 'fourth start'
run 0 "$emu" run --no-reboot --status-json reset.json "$guests/reset.elf"
[ -s ../out ] && fail "--no-reboot let the guest start again: $(cat ../out)"
grep -qF '"the guest reset the machine"' reset.json || fail "the cause is missing from: $(cat reset.json)"
run 120 "$emu" run --no-reboot "$guests/triple.elf"

# --- the triple-fault report names all of it
run 120 "$emu" run "$guests/triple.elf"
for text in 'triple fault' '#PF page fault' 'CR2 003ff123' 'PDE at' 'PTE at' 'P=0' 'error code 0002' '<touch_unmapped>' 'IDT gate 14' \
	'beyond the limit' '#DF double fault' 'CR3' 'CR0 00000011 -> 80000011' 'EAX' 'ESP' 'movl' '0x3ff123'; do
	says "$text"
done

# ... and says which of the usual mistakes it was
mistake() {
	run 120 "$emu" run --timeout 10 --memory 16M --append "$1" "$guests/mistake.elf"
	says "why: $2"
}
mistake cr3 'CR3 12345000 lies outside memory (16M)'
mistake idt 'no IDT was loaded (LIDT): IDTR is as after reset, so #DE finds no handler'
mistake jump 'execution went astray: EIP 40000000 lies outside memory'
mistake stack 'the stack is not mapped for writing where #PF must be pushed (ESP 00900000)'
mistake gdt 'the gate for #PF leads to selector 0008, which lies beyond the limit of the GDT'
mistake tss '#GP in user mode needs a kernel stack from the TSS, and no TSS was loaded (LTR)'
mistake pf_in_handler 'the instruction at '
says 'in a handler, raised #PF again and again'
mistake handler 'the handler for #PF at c0001000 is itself not mapped'
mistake no_execute 'the handler for #PF at 00500000 is itself in a no-execute page'
says 'a fetch by the supervisor, the page is present but forbids it: it is no-execute'
says '= 0x8000000000400'
says '#PF error code 0x11: page is no-execute'
says 'EFER 00000800 NXE'
mistake xmm 'the instruction at '
says 'uses XMM registers, which needs CR4.OSFXSR (bit 9)'
mistake outside 'PDPTE 0, 0000000012345001, leads outside memory (16M)'

# --- options and help
run 0 "$emu" run --help
prints --memory
head -1 ../out | grep -q '^examples' || fail "help does not begin with examples"
run 0 "$emu" --help
prints fault-resumption
run 0 "$emu" help run
prints --snapshot
run 0 "$emu" --version
prints emu

# --- the loader's information
printf 'contents of the module\n' >initrd
run 0 "$emu" run --memory 4M --append 'root=hda1 quiet' --initrd initrd "$guests/info.elf"
[ "$(cat ../out)" = "$(printf 'root=hda1 quiet\ninitrd\ncontents of the module')" ] || fail "info printed: $(cat ../out)"

# --- serial input and output
printf 'abc\001xq' | "$emu" run "$guests/echo.elf" >../out 2>../err || fail "echo gave status $?"
[ "$(cat ../out)" = "$(printf 'ready\nabc\001x')" ] || fail "echo printed: $(cat ../out)"
head -c 3000 /dev/zero | tr '\0' a >many
{ cat many; printf q; } >input
"$emu" run "$guests/echo.elf" <input >../out 2>../err || fail "echo of a file gave status $?"
[ "$(tail -n +2 ../out)" = "$(cat many)" ] || fail "3000 bytes of input came back as $(wc -c <../out)"
# A slow writer, and one that never ends, get the same answer.
{ sleep 0.3; printf 'slow'; sleep 0.3; printf 'q'; } | "$emu" run "$guests/echo.elf" >../out 2>../err || fail "a slow writer gave status $?"
[ "$(cat ../out)" = "$(printf 'ready\nslow')" ] || fail "a slow writer got: $(cat ../out)"
sleep 6 | timeout 20 "$emu" run --timeout 3 "$guests/echo.elf" >../out 2>../err
[ "$(cat ../out)" = ready ] || fail "a silent writer froze the guest: $(cat ../out)"
run 0 "$emu" run --serial file:serial.log "$guests/poweroff.elf"
[ "$(cat serial.log)" = hello ] || fail "the serial file holds: $(cat serial.log)"
[ -s ../out ] && fail "the console was written twice"
run 0 "$emu" run --serial none "$guests/poweroff.elf"
[ -s ../out ] && fail "--serial none printed"
run 0 "$emu" run --serial pty "$guests/poweroff.elf"
says /dev/pts/

# --- a reader that goes away ends the run quietly; a full disk is an error
timeout 20 "$emu" run "$guests/echo.elf" <input 2>../err | head -c 1 >/dev/null
[ -s ../err ] && fail "a closed pipe caused: $(cat ../err)"
if [ -e /dev/full ]; then
	"$emu" run "$guests/poweroff.elf" >/dev/full 2>../err </dev/null
	[ $? = 1 ] || fail "output to a full device did not give status 1"
	says 'standard output'
	# A trace that cannot be written is said to be so while the guest still runs, once; it runs to its end, and that is no success.
	run 1 "$emu" run --trace cpu:/dev/full "$guests/poweroff.elf"
	prints hello
	says 'the trace is not complete: No space left on device; tracing has stopped'
	[ "$(wc -l <../err)" = 1 ] || fail "said more than once: $(cat ../err)"
	: >../err
	"$emu" run --trace cpu:/dev/full "$guests/spin.elf" </dev/null >../out 2>../err &
	pid=$!
	for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
		grep -q 'tracing has stopped' ../err && break
		sleep 0.5
	done
	kill -0 $pid 2>/dev/null || fail "the run ended with its trace"
	says 'tracing has stopped'
	kill $pid
	wait $pid
fi

# --- status file and traces
run 33 "$emu" run --status-json status.json "$guests/exit.elf"
for text in '"cause": "the guest exited through isa-debug-exit"' '"exit_status": 33' '"debug_exit_value": 16' '"instructions"' '"ticks"' '"mips"' '"misses"'; do
	grep -qF "$text" status.json || fail "$text is missing from: $(cat status.json)"
done
run 120 "$emu" run --trace exc,walk,io,cpu,int,dev:trace.log "$guests/triple.elf"
for text in ' exc  #PF error 0002 cr2 003ff123' ' exc  #DF' ' walk supervisor write of 0x003ff123, CR3 = 0x00101000 | PDE at 0x00101000 = ' ' cpu  0008:00100'; do
	grep -qF "$text" trace.log || fail "'$text' is missing from the trace"
done
grep -vqE '^[0-9]+ ' trace.log && fail "a trace line without an instruction count"
run 0 "$emu" run --trace io "$guests/poweroff.elf"
says ' io   out 0604 2 2000'
# A trace changes nothing.
run 124 "$emu" run --max-instructions 300000 --trace cpu,int,io:t.log --status-json a.json "$guests/timer.elf"
grep -q ' int  vector 0x20 at' t.log || fail "an interrupt is missing from the trace"
run 124 "$emu" run --max-instructions 300000 --status-json b.json "$guests/timer.elf"
[ "$(grep ticks a.json)" = "$(grep ticks b.json)" ] || fail "tracing changed virtual time"
run 124 "$emu" run --max-instructions 3000000 --tlb entries=16,ways=4 --status-json c.json "$guests/timer.elf"
grep -q '"entries": 16' c.json || fail "the TLB's geometry is missing"

# --- disks
truncate -s 32M disk.img
run 0 "$emu" run --disk disk.img "$guests/diskwrite.elf"
prints ok
[ "$(dd if=disk.img bs=512 skip=30000 count=64 2>/dev/null | tr -d x | wc -c)" = 0 ] || fail "the sectors were not written"
truncate -s 0 disk.img && truncate -s 32M disk.img
run 0 "$emu" run --snapshot --disk disk.img "$guests/diskwrite.elf"
prints ok
[ "$(tr -d '\0' <disk.img | wc -c)" = 0 ] || fail "--snapshot wrote to the image"
# The host's disk is full: a size limit on files stands in for it, of 6 or 12 MB as shells differ; guest memory must stay below.
truncate -s 32M full.img
(ulimit -f 12000; "$emu" run --memory 4M --disk full.img "$guests/diskwrite.elf" >../out 2>../err </dev/null; echo $? >../status)
[ "$(cat ../status)" = 1 ] || fail "disk full gave status $(cat ../status)"
prints 'error '
[ "$(wc -l <../err)" = 1 ] || fail "disk full is not one line: $(cat ../err)"
says full.img
run 1 "$emu" run --disk disk.img --disk disk.img "$guests/diskwrite.elf"
one_line

# Closed standard streams: their numbers must not go to the disk image, which the console would then be written into.
truncate -s 0 disk.img && truncate -s 1M disk.img
"$emu" run --disk disk.img "$guests/poweroff.elf" <&- >&- 2>../err
[ $? = 1 ] || fail "output to a closed stream did not give status 1"
says 'standard output'
"$emu" run --disk disk.img --trace cpu "$guests/poweroff.elf" <&- >&- 2>&-
[ "$(stat -c %s disk.img)$(tr -d '\0' <disk.img | wc -c)" = 10485760 ] || fail "the console was written into the disk image"

# --- signals
"$emu" run "$guests/spin.elf" </dev/null >../out 2>../err &
pid=$!
sleep 0.5
kill -TERM $pid
wait $pid 2>/dev/null
[ $? = 143 ] || fail "SIGTERM did not give 143"

# --- the demonstration
run 0 "$emu" demo fault-resumption
prints 'Page faults: 1'
finish
