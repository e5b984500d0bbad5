/* prefetch, prefetch on|off: whether pages are brought in before they are asked for, and what that was good for. From /proc/prefetch. */
#include <vm.h>

int main(int argc, char **argv) { return vm_setting_command("/proc/prefetch", "prefetch [on | off]", argc, argv); }
