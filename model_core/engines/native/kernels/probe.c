/* Which instruction sets this processor has. A library of its own, built first: then
 * only the kernels that run here are built. Changes when a set is added.
 *
 * The headers are those that the kernels need: a compiler without them fails here.
 */
#include "tile_permission.h"

#include <math.h>
#include <pthread.h>
#include <stdint.h>
#include <string.h>
#if defined(__aarch64__) && defined(__linux__)
#include <sys/auxv.h>

#define DOT_PRODUCTS (1ul << 20) /* HWCAP_ASIMDDP */
#endif
#if defined(__x86_64__)
#include <cpuid.h>

#define AMX_TILE (1u << 24) /* of EDX, leaf 7 */
#define AMX_INT8 (1u << 25)

static int has_tiles(void) {
    unsigned a, b, c, d;
    return __get_cpuid_count(7, 0, &a, &b, &c, &d) && (d & AMX_TILE) && (d & AMX_INT8);
}
#endif

/* Whether kernels of that name run here. */
int32_t mp_runs(const char *name) {
    if (!strcmp(name, "plain")) return 1;
#if defined(__x86_64__)
    __builtin_cpu_init();
    if (!strcmp(name, "avx2"))
        return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
    const int is_wide = __builtin_cpu_supports("avx512f") &&
                        __builtin_cpu_supports("avx512bw") &&
                        __builtin_cpu_supports("avx512vl") &&
                        __builtin_cpu_supports("avx512dq");
    if (!strcmp(name, "avx512")) return is_wide;
    const int is_vnni = is_wide && __builtin_cpu_supports("avx512vnni");
    if (!strcmp(name, "vnni")) return is_vnni;
    if (!strcmp(name, "amx")) return is_vnni && has_tiles() && tiles_allowed();
#elif defined(__aarch64__) && defined(__APPLE__)
    if (!strcmp(name, "dotprod")) return 1; /* every such chip has them */
#elif defined(__aarch64__) && defined(__linux__)
    if (!strcmp(name, "dotprod")) return (getauxval(AT_HWCAP) & DOT_PRODUCTS) != 0;
#endif
    return 0;
}
