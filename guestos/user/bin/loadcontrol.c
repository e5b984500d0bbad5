/* loadcontrol, loadcontrol on|off: whether processes are suspended when memory cannot hold all working sets. From /proc/loadcontrol. */
#include <vm.h>

int main(int argc, char **argv) { return vm_setting_command("/proc/loadcontrol", "loadcontrol [on | off]", argc, argv); }
