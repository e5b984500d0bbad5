# Three ways: ours, Bochs' and QEMU's lines. For bochs.differences: each case in which Bochs differs from us. For qemu.differences: "both"
# and each case in which QEMU agrees with Bochs against us, "max" and the number of cases of a group in which QEMU is alone.
#   awk -v bochs_out=FILE -v qemu_out=FILE -f compare.awk OURS BOCHS QEMU
BEGIN {
	split("case vector error task cs eip ss esp flags eax ecx edx ebx ebp esi edi es ds fs gs ldt cr0 cr2 cr3 cr4 dr6 accessed " \
		"tables code stacks data pages v86 opcode", name, " ")
}
FNR == 1 { file++ }
!/^[A-P][0-9a-f]+ v.* o[0-9a-f]+$/ { next }
{ line[file, $1] = $0; lines[file]++ }
file == 1 { id[++cases] = $1 }

# QEMU does not push RF with a fault [SDM3B 17.3.1.1 "Instruction-Breakpoint Exception Condition"]: bit 16 of the flags is left out.
function no_resume(flags,    digit) {
	flags = substr("00000000", length(flags)) substr(flags, 2)
	digit = index("0123456789abcdef", substr(flags, 4, 1)) - 1
	return substr(flags, 1, 3) (digit - digit % 2) substr(flags, 5)
}
# The fields that differ. With QEMU, RF does not count, nor Accessed bits, which QEMU does not set for what a TSS loads.
function differences(x, y, qemu,    a, b, n, i, text) {
	n = split(x, a, " "); split(y, b, " "); text = ""
	for (i = 2; i <= n; i++) {
		if (a[i] == b[i] || (qemu && (name[i] == "accessed" || (name[i] == "flags" && no_resume(a[i]) == no_resume(b[i])))))
			continue
		text = text " " name[i]
	}
	return text
}
END {
	printf "" >bochs_out; printf "" >qemu_out
	for (j = 1; j <= cases; j++) {
		c = id[j]; ours = line[1, c]; bochs = line[2, c]; qemu = line[3, c]
		split(ours, word, " ")
		if (word[5] == "Lcccc" || word[5] == "cccc")   # it ran through memory that belongs to the BIOS
			continue
		by_bochs = differences(ours, bochs, 0)
		if (by_bochs != "")
			print c by_bochs >bochs_out
		if (qemu == "" || qemu ~ / v2 /) {
			unjudged++
			continue
		}
		judged++
		by_qemu = differences(ours, qemu, 1)
		if (by_qemu == "")
			by_bochs == "" ? all_agree++ : bochs_alone++
		else if (by_bochs == "")
			alone[substr(c, 1, 1)]++
		else if (differences(bochs, qemu, 1) == "")
			print "both " c by_qemu >qemu_out
		else
			three_ways++
	}
	for (g in alone) {
		print "max " g " " alone[g] >qemu_out
		qemu_alone += alone[g]
	}
	printf "%d cases, %d by Bochs; of %d with an answer of QEMU all three agree in %d, Bochs is alone in %d, QEMU in %d, and %d have three answers\n", \
		cases, lines[2], judged, all_agree, bochs_alone, qemu_alone, three_ways
}
