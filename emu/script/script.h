/* emu/script/script.h: Lua 5.4 for course staff: hooks on events, questions about the machine, the debugger's commands.
 *
 *   emu.on("fault", function(f) print(f.eip, f.cr2, f.error) end)     hooks: fault interrupt walk break stop
 *   emu.reg("eax")   emu.read(la, 4)   emu.phys(pa, 4)   emu.icount()   emu.eval("pte(0x8048000)")   emu.symbol(la)
 *   emu.command("info tlb") -> text    emu.query("info registers") -> table    emu.stop("reason")   emu.fail("reason")
 *
 * A script is somebody else's program: it has no files, no other modules, no clock, no randomness of the host, and limits of memory and of
 * instructions; so the same script on the same run says the same. In a hook it may look but not move the machine.
 */
#ifndef EMU_SCRIPT_SCRIPT_H
#define EMU_SCRIPT_SCRIPT_H

#include "emu/debug/debugger.h"
#include "emu/debug/text.h"

/* Runs a file; the hooks it sets stay. d->script is made if there is none. out: what it printed; NULL: standard output. 0, or -1 with one
 * line in err that names file and line. */
int script_load(struct debugger *d, const char *path, struct text *out, char *err);
/* Runs a line, an expression's value is printed. */
int script_eval(struct debugger *d, const char *code, struct text *out, char *err);
/* Did emu.fail() or an error in a hook say that the run is not as it should be? Its line, or NULL. */
const char *script_failure(const struct debugger *d);
/* Part of debugger_free. */
void script_close(struct debugger *d);

#endif
