/* Which instruction sets this processor has. A library of its own, built first: then
 * only the kernels that run here are built. Changes when a set is added.
 *
 * The headers are those that the kernels need: a compiler without them fails here.
 */
#include <math.h>
#include <pthread.h>
#include <stdint.h>
#include <string.h>

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
    if (!strcmp(name, "vnni")) return is_wide && __builtin_cpu_supports("avx512vnni");
#endif
    return 0;
}
