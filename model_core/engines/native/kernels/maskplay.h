/* What crosses between Python and the kernels: plain structs of sizes and pointers.
 *
 * Changes when a config says something new. The mirror of ``structs.py``; every matrix
 * is float32 and row-major unless it says otherwise.
 *
 * Panels. A matrix (out, in) is stored as ceil(out / 16) panels, each (in, 16): sixteen
 * outputs side by side for every input. Keys are panels of sixteen positions, values
 * panels of sixteen channels, so that one kernel multiplies them all.
 */
#ifndef MASKPLAY_H
#define MASKPLAY_H

#include <stdint.h>

#define MP_PANEL 16

enum mp_activation { MP_LINEAR, MP_GELU, MP_GELU_NEW, MP_RELU, MP_SILU, MP_TANH };
enum mp_placement { MP_POST, MP_PRE, MP_SANDWICH };
enum mp_norm_kind { MP_NO_NORM, MP_LAYER_NORM, MP_RMS_NORM };
enum mp_rotary { MP_NO_ROTARY, MP_HALVES, MP_NEIGHBOURS };

/* What the weights are, and what the rows are rounded to that meet them.
 * MP_INT8: int8, -127 .. 127, and rows of shorts.
 * MP_DYNAMIC: seven bits, 1 .. 127 for -63 .. 63, and rows of int8. */
enum mp_precision { MP_FLOAT32, MP_INT8, MP_DYNAMIC };

typedef struct {
    int32_t in, out;
    int32_t precision;
    const void *panels;   /* MP_FLOAT32: ceil(out / 16) x in x 16 floats;
                           * MP_INT8: ceil(out / 16) x ceil(in / 2) x 16 x 2;
                           * MP_DYNAMIC: ceil(out / 16) x ceil(in / 4) x 16 x 4 */
    const float *scales;  /* out, padded to panels; NULL for float32 */
    const float *bias;    /* out, padded to panels; NULL for none */
} mp_linear;

typedef struct {
    int32_t kind;
    float epsilon;
    const float *gamma, *beta; /* NULL for none */
} mp_norm;

typedef struct {
    mp_linear query_key_value, output;
    mp_linear source_query, source_key_value, source_output;
    mp_linear inner, gate, outer;
    mp_norm attention_norm, source_norm, feed_forward_norm;
} mp_block;

typedef struct {
    int32_t hidden_size, num_heads, head_size, num_layers;
    int32_t placement, activation, is_gated, reads_source, rotary;
    int32_t num_positions;   /* of cosines, sines or bias; 0 where no table ends */
    float scale;             /* of scores */
    const float *cosines;    /* num_positions x head_size / 2 */
    const float *sines;
    const float *bias;       /* num_heads x (2 * bias_reach + 1), by key minus query */
    int32_t bias_reach;
    int32_t num_distances;   /* of relations: 2 * farthest + 1, 0 for none */
    const float *relation_keys;   /* panels of distances, (head_size, 16) each */
    const float *relation_values; /* panels of channels, (num_distances, 16) each */
    const mp_block *const *layers;
    mp_norm final_norm;
} mp_body;

/* Keys and values of one sequence, floats or their upper halves (bfloat16).
 * keys:   layer, head, capacity / 16, head_size, 16
 * values: layer, head, ceil(head_size / 16), capacity, 16
 */
typedef struct {
    void *keys, *values;
    int64_t layer_stride_keys, layer_stride_values; /* numbers; 0: layers share room */
    int32_t capacity;
    int32_t is_half;
} mp_slot;

/* One call: rows of tokens, each somewhere in some sequence. A mask is a number here: a
 * row sees the positions before its limit (causal: its own plus one; bidirectional: the
 * length; prefix_lm: the larger of the source's length and its own plus one). Of them
 * the first ``shared_length`` are read from another slot that several rows share. */
typedef struct {
    int32_t num_rows;
    const int32_t *slot, *place; /* where a row's keys go: in its slot */
    const int32_t *position, *limit, *shared_slot, *shared_length;
    const int32_t *source_slot, *source_length; /* of decoders, else NULL */
    const mp_slot *slots, *source_slots;
    int32_t longest; /* largest limit and source length */
} mp_rows;

typedef struct {
    int32_t num_threads;
    int32_t first_layer, last_layer; /* of the layers to run, the last not included */
    const mp_body *body;
    const mp_rows *rows;
    float *hidden;    /* num_rows x hidden_size; embeddings in, states out */
    float *residual;  /* num_rows x hidden_size: before the last norm; NULL: no need */
    float *room;      /* scratch, mp_room floats */
} mp_pass;

#endif
