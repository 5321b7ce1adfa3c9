/* What every instruction set offers. Changes when a kernel is added.
 *
 * Every thread calls a kernel with the same arguments; a kernel that is not told which
 * thread calls claims its pieces (``mp_claim``) and wants a barrier before the next.
 */
#ifndef KERNELS_H
#define KERNELS_H

#include "maskplay.h"

enum mp_write { MP_SET, MP_ADD, MP_TIMES };

typedef struct {
    const float *floats;
    const int16_t *shorts;
    const float *scales; /* of the shorts, one a row */
} mp_input;

typedef struct {
    const char *name;
    int32_t wide_rows; /* rows that one multiplication takes together */
    /* rows of floats as shorts in pairs, (rows, in rounded up to even), with scales */
    void (*shorten)(const float *from, int rows, int in, int16_t *shorts, float *scales,
                    int thread, int num_threads);
    /* to (rows, out) = activation(input (rows, in) x weights + bias), set, added or
     * multiplied; int8 weights want the input shortened */
    void (*linear)(const mp_linear *weights, const mp_input *input, float *to, int rows,
                   int activation, int write, int num_threads);
    void (*norm)(const mp_norm *norm, const float *from, float *to, int rows, int width,
                 int thread, int num_threads);
    /* turn queries and keys, and put keys and values where their slots keep them */
    void (*remember)(const mp_body *body, const mp_rows *rows, int layer,
                     float *query_key_value, int thread, int num_threads);
    void (*attend)(const mp_body *body, const mp_rows *rows, int layer,
                   const float *queries, int query_stride, int of_source, float *mixed,
                   float *room);
    void (*remember_source)(const mp_body *body, const mp_slot *slots, int layer,
                            const float *key_value, const int32_t *slot,
                            const int32_t *position, int rows, int thread,
                            int num_threads);
} mp_kernels;

extern const mp_kernels mp_table; /* those of this library */

#endif
