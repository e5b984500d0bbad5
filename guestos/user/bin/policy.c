/* policy, policy NAME: which replacement policy is in force, what each has done; or put another in force. From /proc/policy. */
#include <vm.h>

int main(int argc, char **argv) { return vm_setting_command("/proc/policy", "policy [fifo | clock | second-chance | aging | random[:SEED] | wsclock]", argc, argv); }
