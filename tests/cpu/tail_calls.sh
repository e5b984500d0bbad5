#!/bin/sh
# usage: tail_calls.sh LIBCPU.A
# Every handler that goes on to the next instruction must do so by a jump: a call would nest with each instruction executed
# until the host's stack is used up. Handlers that end their block are called from nowhere deeper than the loop.
set -eu
objdump -d --no-show-raw-insn "$1" | awk '
/^[0-9a-f]+ <.*>:$/ { name = $2; gsub(/[<>:]/, "", name) }
name ~ /^op_/ && /[ \t]jmp +\*/ { jumps[name] = 1 }
name ~ /^op_(add|or|adc|sbb|and|sub|xor|cmp|test|inc|dec|neg|not|xadd|cmpxchg|mul|imul|div|idiv|daa|das|aaa|aas|aam|aad)/ ||
name ~ /^op_(rol|ror|rcl|rcr|shl|shr|sar|shld|shrd|bt|bts|btr|btc|bsf|bsr|bswap|set|mov|xchg|cmov|movzx|movsx|lea|xlat)/ ||
name ~ /^op_(sqrt|rsqrt|rcp|min|max|comis|ucomis|cvt|unpck|shufp|fence|clflush|ldmxcsr|stmxcsr)/ ||
name ~ /^op_(cbw|cwd|cdq|salc|lahf|sahf|clc|stc|cmc|cld|std|nop|wait|push|pop|enter|leave|j[a-z]+$|loop|bound|movs|cmps|scas|stos|lods)/ ||
name ~ /^op_(emms$|f[a-z0-9]+(_|$))|_(Pq|Nq|Qq|Vx|Ux|Wx|Wq)(_|$)/ {
	if (name !~ /^op_(pushf|popf|pop_[A-Z]S|mov_Ew_Sw|mov_Sw_Ew|mov_Rd|mov_[CD]d)/) {
		checked[name] = 1
		if (/[ \t]call +\*/) { print name ": calls through a pointer"; bad = 1 }
	}
}
END {
	for (n in checked) {
		count++
		if (!jumps[n] && n !~ /^op_jmp_/) { print n ": no indirect jump"; bad = 1 }
	}
	print count " handlers checked"
	exit bad || count < 200
}'
