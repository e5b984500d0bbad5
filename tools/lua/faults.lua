-- tools/lua/faults.lua: what the page faults of a run were for, in a table; an example of a script for course staff.
--
--   emu debug --batch -x SCRIPT kernel.elf          with these lines in SCRIPT:
--
--       lua tools/lua/faults.lua
--       continue
--       lua report()
--
-- emu.on() has a function called for each event; f is a table of what happened. A hook may look at the machine (emu.reg, emu.read,
-- emu.eval, emu.symbol, emu.command, emu.query), stop it (emu.stop, or return true) or fail the run (emu.fail: exit status 122).

local kinds = {}        -- words -> how often
local first = {}        -- words -> where it happened first

-- The error code in words, from its bits: 1 page present, 2 write, 4 user mode, 8 reserved bit, 16 fetch.
local function words(error)
	local who = error & 4 ~= 0 and "user" or "kernel"
	local what = error & 16 ~= 0 and "fetch" or error & 2 ~= 0 and "write" or "read"
	local why = error & 8 ~= 0 and "reserved bit" or error & 1 ~= 0 and "protection" or "not present"
	return who .. " " .. what .. ", " .. why
end

emu.on("fault", function(f)
	if f.name ~= "#PF" then
		return
	end
	local kind = words(f.error)
	kinds[kind] = (kinds[kind] or 0) + 1
	first[kind] = first[kind] or string.format("0x%08x at instruction %d in %s", f.cr2, f.icount, emu.symbol(f.eip))
	-- A grader's assertion: with paging on and a kernel that is right, no entry ever has a reserved bit.
	if f.error & 8 ~= 0 then
		emu.fail("a reserved bit is set in the entry for " .. string.format("0x%08x", f.cr2))
	end
end)

function report()
	local total = 0
	for kind, n in pairs(kinds) do        -- in order of the words: pairs is sorted here
		print(string.format("%6d  %-28s first %s", n, kind, first[kind]))
		total = total + n
	end
	print(string.format("%6d  page faults", total))
end
