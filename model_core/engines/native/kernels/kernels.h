/* What every instruction set offers. Changes when a kernel is added. */
#ifndef KERNELS_H
#define KERNELS_H

#include "maskplay.h"

enum mp_write { MP_SET, MP_ADD, MP_TIMES };

typedef struct {
    const char *name;
    int32_t wide_rows; /* rows that one multiplication takes together */
    /* to (rows, out) = activation(from (rows, in) x weights + bias), set, added or
     * multiplied; room: in x 16 floats of this thread */
    void (*linear)(const mp_linear *weights, const float *from, float *to, int rows,
                   int activation, int write, float *room, int thread, int num_threads);
    void (*norm)(const mp_norm *norm, const float *from, float *to, int rows, int width,
                 int thread, int num_threads);
    /* turn queries and keys, and put keys and values where their slots keep them */
    void (*remember)(const mp_body *body, const mp_rows *rows, int layer,
                     float *query_key_value, int thread, int num_threads);
    void (*attend)(const mp_body *body, const mp_rows *rows, int layer,
                   const float *queries, int query_stride, int of_source, float *mixed,
                   float *room, int thread, int num_threads);
    void (*remember_source)(const mp_body *body, const mp_slot *slots, int layer,
                            const float *key_value, const int32_t *slot,
                            const int32_t *position, int rows, int thread,
                            int num_threads);
} mp_kernels;

#endif
