#!/bin/sh
# tests/emu/linux_test.sh: Debian's installer kernel, unmodified, boots to a shell on the serial console and finds the machine that
# was promised. Usage: SCRIPT EMU GUEST_DIR [memories|reboot]
#
#   (nothing)   256 MB; with LINUX_LOOK (linux_look.c) the debugger's views of it
#   memories    3 GB, which is as much as there can be, and 96 MB, which is hardly enough
#   reboot      256 MB; the guest then starts the machine anew, and so a second kernel
. "$(dirname "$0")/testlib.sh"
pid=
trap 'kill "$pid" 2>/dev/null; rm -rf "$work"' EXIT
images=/usr/lib/debian-installer/images/12/i386/text/debian-installer/i386

if [ ! -f "$images/linux" ] || [ ! -f "$images/initrd.gz" ]; then
	echo "skipped: $images/linux and initrd.gz are not there; they come with the package debian-installer-12-netboot-i386"
	exit 77
fi

# --- the console

# boot MEMORY [ARGUMENTS...]: in the background; what it prints goes to ../out, what it reads comes from `enter`.
limit=280
boot() {
	memory=$1
	shift
	: >../out
	rm -f keys
	mkfifo keys
	"$emu" run "$@" --memory "$memory" --timeout "$limit" "$images/linux" --initrd "$images/initrd.gz" \
		--append 'console=ttyS0,115200 rdinit=/bin/sh panic=-1' <keys >../out 2>../err &
	pid=$!
	exec 3>keys
	wait_for ' # ' || return 1
}

# wait_for TEXT: until it is on the console, or the emulator has ended.
wait_for() {
	while ! grep -qF -- "$1" ../out; do
		if ! kill -0 "$pid" 2>/dev/null; then
			fail "the emulator ended, and '$1' is not on the console: $(tail -c 1500 ../err) $(tail -c 1500 ../out)"
			return 1
		fi
		sleep 0.2
	done
}

# enter COMMAND: types it and leaves what it printed in ../answer. The markers are typed as sums, so that their echo is not they.
serial=0
enter() {
	serial=$((serial + 1))
	printf 'echo start-$((%d+0)); %s; echo end-$((%d+0))\n' $serial "$1" $serial >&3
	wait_for "end-$serial" || return 1
	tr -d '\r' <../out | sed -n "/^start-$serial\$/,/^end-$serial\$/p" | sed '1d;$d' >../answer
}

# answers COMMAND TEXT: that is all it prints.
answers() {
	enter "$1" || return 1
	[ "$(cat ../answer)" = "$2" ] || fail "'$1' printed '$(cat ../answer)' instead of '$2'"
}

# ends STATUS COMMAND TEXT: the command ends the run so, after Linux has said this.
ends() {
	echo "$2" >&3
	wait_for "$3"
	exec 3>&-
	wait "$pid"
	got=$?
	[ "$got" = "$1" ] || fail "$2 gave status $got instead of $1: $(tail -c 500 ../err)"
}

# power_off: no ACPI tables tell Linux how to cut the power; it halts with interrupts off.
power_off() {
	ends 118 'poweroff -f' 'System halted'
	says 'halted with interrupts disabled'
}

# --- what Linux calls the features CPUID has. In the order of its bits; - where it prints nothing.
leaf_1_edx='fpu vme de pse tsc msr pae mce cx8 apic - sep mtrr pge mca cmov pat pse36 pn clflush - dts acpi mmx fxsr sse sse2 ss ht tm ia64 pbe'
leaf_1_ecx='pni pclmulqdq dtes64 monitor ds_cpl vmx smx est tm2 ssse3 cid sdbg fma cx16 xtpr pdcm - pcid dca sse4_1 sse4_2 x2apic movbe popcnt tsc_deadline_timer aes xsave - avx f16c rdrand hypervisor'
leaf_81_edx='- - - - - - - - - - - syscall - - - - - - - mp nx - mmxext - - fxsr_opt pdpe1gb rdtscp - lm 3dnowext 3dnow'
leaf_81_ecx='lahf_lm cmp_legacy svm extapic cr8_legacy abm sse4a misalignsse 3dnowprefetch osvw ibs xop skinit wdt - lwp fma4 tce - nodeid_msr - tbm topoext perfctr_core perfctr_nb - bpext ptsc perfctr_llc mwaitx - -'

# names WORD NAMES: those of the bits that are set, in order.
names() {
	word=$((0x$1))
	for name in $2; do
		[ $((word & 1)) = 1 ] && [ "$name" != - ] && printf ' %s' "$name"
		word=$((word >> 1))
	done
}

# The flags line that CPUID promises: Linux prints leaf 1 EDX, leaf 80000001h EDX, its own, leaf 1 ECX, leaf 80000001h ECX.
#   cpuid   Linux's own, for every processor that has the instruction
#   pat     is taken away: Linux does not trust it in family 6 below model 15, whatever CPUID says
promised_flags() {
	"$emu" run "$guests/cpuid.elf" >../cpuid </dev/null || fail 'the CPUID guest failed'
	{ read -r edx1; read -r ecx1; read -r edx81; read -r ecx81; } <../cpuid
	printf 'flags\t\t:%s%s cpuid%s%s' "$(names "$edx1" "$leaf_1_edx" | sed 's/ pat\b//')" "$(names "$edx81" "$leaf_81_edx")" \
		"$(names "$ecx1" "$leaf_1_ecx")" "$(names "$ecx81" "$leaf_81_ecx")"
}

# field NAME FILE: of a file like /proc/cpuinfo.
field() { sed -n "s/^$1[[:space:]]*: *//p" "$2"; }

# --- the examination

# What every Linux machine must answer, in this much memory (in MB).
examine() {
	answers 'mount -t proc proc /proc' ''
	answers 'uname -m' i686
	enter 'cat /proc/cpuinfo'
	flags=$(grep '^flags' ../answer)
	promised=$(promised_flags)
	[ "$flags" = "$promised" ] || fail "/proc/cpuinfo says '$flags', CPUID promises '$promised'"
	[ "$(field vendor_id ../answer) $(field 'cpu family' ../answer)" = 'GenuineIntel 6' ] || fail "the processor is: $(cat ../answer)"
	[ "$(field fpu ../answer) $(field wp ../answer)" = 'yes yes' ] || fail "no x87 or no write protection: $(cat ../answer)"
	mhz=$(field 'cpu MHz' ../answer)
	case $mhz in 99.9?? | 100.0??) ;; *) fail "Linux measured $mhz MHz instead of 100" ;; esac
	enter 'cat /proc/meminfo'
	total=$(field MemTotal ../answer | tr -dc 0-9)
	[ "${total:-0}" -gt $(($1 * 1024 - 24000 - $1 * 16)) ] && [ "$total" -lt $(($1 * 1024)) ] || fail "of $1 MB, Linux sees ${total:-nothing} kB"
	answers "awk 'BEGIN { x = 1; for (i = 1; i < 20; i++) x = x / 3 + i; printf \"%.12f\\n\", x }'" 27.750000001506
	answers 'echo -n abc | sha1sum' 'a9993e364706816aba3e25717850c26c9cd0d89d  -'
	answers 'date -u +%Y' 2026
	answers 'ls -d /etc/udhcpc' /etc/udhcpc
	answers 'i=0; while [ $i -lt 20 ]; do (exit $i) | cat; i=$((i+1)); done; echo $i' 20
	if grep -E 'BUG|Oops|Call Trace|segfault|traps:|general protection|unhandled' ../out >../bad; then
		fail "Linux complained: $(head -5 ../bad)"
	fi
}

# What the debugger finds in the machine that was saved when it rebooted is what Linux said shortly before. Workers come and go, the heap
# grows, and Linux knows longer names of threads than their 15 characters.
looked_at() {
	"$LINUX_LOOK" ../linux.saved >../look || fail "the saved machine cannot be looked at"
	sed -n 's/^\([0-9]*\) (\(.*\)) [A-Z] \([0-9]*\) .*/process \1 \3 \2/p' ../stats | sed 's/^\(process [0-9]* [0-9]* .\{15\}\).*/\1/' | grep -v -e kworker -e ' cat$' | sort >../said
	grep ^process ../look | grep -v -e kworker -e ' reboot$' -e ' swapper/0$' | sort >../found
	grep -q ' sleep$' ../found && cmp -s ../said ../found || fail "processes differ: $(diff ../said ../found | head -5)"
	sed -n 's/^\([0-9a-f]*-[0-9a-f]*\) \(...\)p [^ ]* [^ ]* [^ ]* */region \1 \2 /p' ../maps | grep -v '\[heap\]' |
		sed -e 's:/.*/::' -e 's/\[v.*//' >../said
	heap=$(sed -n 's/-.* \[heap\]$//p' ../maps)
	grep ^region ../look | grep -v "^region ${heap:-none}" >../found
	[ "$(wc -l <../found)" -gt 15 ] && cmp -s ../said ../found || fail "regions differ: $(diff ../said ../found | head -5)"
	read -r word counted wrong <<-end
		$(grep ^frames ../look)
	end
	[ "${counted:-0}" -gt 500 ] && [ "$wrong" = 0 ] || fail "of $counted frames $wrong have a count that their mappings contradict"
	grep -q '^symbol [a-z]' ../look || fail "no symbol: $(grep ^symbol ../look)"
}

once() {
	boot 256M --no-reboot --save ../linux.saved --history 0 || return
	examine 256
	enter 'sleep 1000 & cat /proc/1/maps' && mv ../answer ../maps
	enter 'cat /proc/[0-9]*/stat' && mv ../answer ../stats
	ends 0 'reboot -f' 'Restarting system'
	[ -z "$LINUX_LOOK" ] || looked_at
}

memories() {
	boot 3G || return
	examine 3072
	power_off
	# Half of 96 MB holds only a part of this initrd, on any machine: there is a shell, and hardly a command. Without it Linux panics.
	boot 96M --no-reboot || return
	answers 'uname -m' i686
	ends 0 'exit' 'Attempted to kill init'
}

# The machine starts from the beginning: a second kernel, and its shell.
twice() {
	boot 256M || return
	examine 256
	: >../out
	echo 'reboot -f' >&3
	wait_for 'Linux version' && wait_for ' # ' && answers 'uname -m' i686 && power_off
}

case $3 in
memories) memories ;;
reboot) twice ;;
*) once ;;
esac
finish
