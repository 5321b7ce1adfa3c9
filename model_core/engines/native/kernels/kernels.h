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
    const void *rounded;    /* to shorts or bytes, rows as long as the panels want them */
    const float *scales;    /* of what is rounded, one a row */
    const int32_t *offsets; /* to be taken from a row's sums of bytes */
} mp_input;

typedef struct {
    const char *name;
    int32_t wide_rows; /* rows that one multiplication takes together */
    /* rows of floats as the weights want them: shorts in pairs or bytes in fours */
    void (*round)(const mp_linear *weights, const float *from, int rows, void *rounded,
                  float *scales, int32_t *offsets, int thread, int num_threads);
    /* to (rows, out) = activation(input (rows, in) x weights + bias), set, added or
     * multiplied; int8 weights want the input rounded */
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
