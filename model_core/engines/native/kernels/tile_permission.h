/* Tiles are a state of the processor that a process must ask for.
 *
 * Changes with how a system grants them. Source: Linux, Documentation/x86/xstate.rst.
 */
#ifndef TILE_PERMISSION_H
#define TILE_PERMISSION_H

#if defined(__linux__) && defined(__x86_64__)
#include <sys/syscall.h>
#include <unistd.h>

#define ASK_FOR_STATE 0x1023 /* ARCH_REQ_XCOMP_PERM */
#define TILE_DATA 18         /* XFEATURE_XTILEDATA */

static inline int tiles_allowed(void) {
    return syscall(SYS_arch_prctl, ASK_FOR_STATE, TILE_DATA) == 0;
}
#else
static inline int tiles_allowed(void) { return 0; }
#endif

#endif
