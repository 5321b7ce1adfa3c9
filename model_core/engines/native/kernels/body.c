/* One pass through a Transformer: where norms and residuals stand, as a config says.
 *
 * Changes when a config places a layer elsewhere. Knows no instruction set: it asks the
 * kernels of its library.
 */
#include "kernels.h"
#include "pool.h"

#include <stddef.h>
#include <string.h>

#define PADDED(size) ((((int64_t)(size) + MP_PANEL - 1) / MP_PANEL) * MP_PANEL)

static const mp_kernels *const kernels = &mp_table;

/* Name of the instruction set that this library is for. */
const char *mp_name(void) { return kernels->name; }

/* Floats of scratch that one thread needs beside the shared rows. */
static int64_t room_of_thread(const mp_body *body, const mp_rows *rows) {
    int64_t scores = kernels->wide_rows * (PADDED(rows->longest) + 2 * MP_PANEL +
                                           PADDED(body->num_distances));
    return scores + MP_PANEL;
}

typedef struct {
    float *normed, *query_key_value, *mixed, *wide, *scales, *rounded, *of_threads;
    int32_t *offsets;
    int64_t per_thread;
} rooms;

static int64_t widest(const mp_body *body) {
    int64_t most = body->hidden_size;
    for (int layer = 0; layer < body->num_layers; layer++)
        if (body->layers[layer]->inner.out > most) most = body->layers[layer]->inner.out;
    return most;
}

/* Floats that rounded rows take at most: two shorts are as long as a float. */
static int64_t room_of_rounded(int64_t rows, int64_t in) {
    return PADDED(rows * (in / 2 + 1));
}

static rooms split_room(const mp_pass *pass) {
    const mp_body *body = pass->body;
    const int64_t rows = pass->rows->num_rows;
    const int64_t heads = (int64_t)body->num_heads * body->head_size;
    rooms made;
    made.normed = pass->room;
    made.query_key_value = made.normed + PADDED(rows * body->hidden_size);
    made.mixed = made.query_key_value + PADDED(rows * 3 * heads);
    made.wide = made.mixed + PADDED(rows * heads);
    made.scales = made.wide + PADDED(rows * widest(body));
    made.offsets = (int32_t *)(made.scales + PADDED(rows));
    made.rounded = made.scales + 2 * PADDED(rows);
    made.of_threads =
        made.rounded + room_of_rounded(rows, heads > widest(body) ? heads : widest(body));
    made.per_thread = room_of_thread(body, pass->rows);
    return made;
}

/* Floats of scratch that a pass needs. */
int64_t mp_room(const mp_pass *pass) {
    rooms made = split_room(pass);
    return (made.of_threads - pass->room) + made.per_thread * pass->num_threads;
}

typedef struct {
    const mp_pass *pass;
    rooms room;
    int thread, num_threads;
    float *own; /* this thread's scratch */
} worker;

static void wait(const worker *w) { mp_barrier(w->num_threads); }

static void apply(const worker *w, const mp_linear *weights, const float *from, float *to,
                  int activation, int write) {
    const int rows = w->pass->rows->num_rows;
    const rooms *room = &w->room;
    const mp_input input = {from, room->rounded, room->scales, room->offsets};
    if (weights->precision != MP_FLOAT32) {
        kernels->round(weights, from, rows, room->rounded, room->scales, room->offsets,
                       w->thread, w->num_threads);
        wait(w);
    }
    kernels->linear(weights, &input, to, rows, activation, write, w->num_threads);
    wait(w);
}

static void settle(const worker *w, const mp_norm *norm, const float *from, float *to) {
    kernels->norm(norm, from, to, w->pass->rows->num_rows, w->pass->body->hidden_size,
                  w->thread, w->num_threads);
    wait(w);
}

static void attention(const worker *w, const mp_block *block, int layer,
                      const float *from) {
    const mp_body *body = w->pass->body;
    const mp_rows *rows = w->pass->rows;
    apply(w, &block->query_key_value, from, w->room.query_key_value, MP_LINEAR, MP_SET);
    kernels->remember(body, rows, layer, w->room.query_key_value, w->thread,
                      w->num_threads);
    wait(w);
    kernels->attend(body, rows, layer, w->room.query_key_value,
                    3 * body->num_heads * body->head_size, 0, w->room.mixed, w->own);
    wait(w);
    apply(w, &block->output, w->room.mixed, w->pass->hidden, MP_LINEAR, MP_ADD);
}

static void source_attention(const worker *w, const mp_block *block, int layer,
                             const float *from) {
    const mp_body *body = w->pass->body;
    apply(w, &block->source_query, from, w->room.query_key_value, MP_LINEAR, MP_SET);
    kernels->attend(body, w->pass->rows, layer, w->room.query_key_value,
                    body->num_heads * body->head_size, 1, w->room.mixed, w->own);
    wait(w);
    apply(w, &block->source_output, w->room.mixed, w->pass->hidden, MP_LINEAR, MP_ADD);
}

static void feed_forward(const worker *w, const mp_block *block, const float *from) {
    const mp_body *body = w->pass->body;
    apply(w, &block->inner, from, w->room.wide, body->activation, MP_SET);
    if (body->is_gated)
        apply(w, &block->gate, from, w->room.wide, MP_LINEAR, MP_TIMES);
    apply(w, &block->outer, w->room.wide, w->pass->hidden, MP_LINEAR, MP_ADD);
}

static void run_block(const worker *w, int layer) {
    const mp_body *body = w->pass->body;
    const mp_block *block = body->layers[layer];
    float *hidden = w->pass->hidden, *normed = w->room.normed;
    const int is_pre = body->placement == MP_PRE, is_post = body->placement == MP_POST;

    if (is_pre) settle(w, &block->attention_norm, hidden, normed);
    attention(w, block, layer, is_pre ? normed : hidden);
    if (is_post) settle(w, &block->attention_norm, hidden, hidden);

    if (body->reads_source) {
        if (is_pre) settle(w, &block->source_norm, hidden, normed);
        source_attention(w, block, layer, is_pre ? normed : hidden);
        if (!is_pre) settle(w, &block->source_norm, hidden, hidden);
    }

    if (!is_post)
        settle(w, is_pre ? &block->feed_forward_norm : &block->attention_norm, hidden,
               normed);
    feed_forward(w, block, is_post ? hidden : normed);
    if (!is_pre) settle(w, &block->feed_forward_norm, hidden, hidden);
}

static void run(void *context, int thread, int num_threads) {
    const mp_pass *pass = context;
    rooms room = split_room(pass);
    worker w = {pass, room, thread, num_threads,
                room.of_threads + room.per_thread * thread};
    for (int layer = pass->first_layer; layer < pass->last_layer; layer++)
        run_block(&w, layer);
    if (pass->last_layer < pass->body->num_layers) return;
    const int64_t size = (int64_t)pass->rows->num_rows * pass->body->hidden_size;
    if (pass->residual && thread == 0)
        memcpy(pass->residual, pass->hidden, sizeof(float) * size);
    wait(&w);
    if (pass->body->final_norm.kind)
        settle(&w, &pass->body->final_norm, pass->hidden, pass->hidden);
}

/* Run layers over rows of states, in place; after the last one the last norm. */
void mp_run(const mp_pass *pass) {
    mp_parallel(run, (void *)pass, pass->num_threads);
}

typedef struct {
    const mp_linear *weights;
    const mp_norm *norm;
    const float *from;
    float *to, *room;
    int32_t rows, activation, width;
} alone;

static void run_linear(void *context, int thread, int num_threads) {
    const alone *a = context;
    float *scales = a->room, *rounded = scales + 2 * PADDED(a->rows);
    int32_t *offsets = (int32_t *)(scales + PADDED(a->rows));
    const mp_input input = {a->from, rounded, scales, offsets};
    if (a->weights->precision != MP_FLOAT32) {
        kernels->round(a->weights, a->from, a->rows, rounded, scales, offsets, thread,
                       num_threads);
        mp_barrier(num_threads);
    }
    kernels->linear(a->weights, &input, a->to, a->rows, a->activation, MP_SET, num_threads);
}

/* Floats of scratch that mp_linear_rows needs. */
int64_t mp_linear_room(const mp_linear *weights, int32_t rows) {
    if (weights->precision == MP_FLOAT32) return 0;
    return 2 * PADDED(rows) + room_of_rounded(rows, weights->in);
}

/* to (rows, out) = activation(from (rows, in) x weights + bias). */
void mp_linear_rows(const mp_linear *weights, const float *from, float *to, int32_t rows,
                    int32_t activation, float *room, int32_t num_threads) {
    alone a = {.weights = weights, .from = from, .to = to, .room = room, .rows = rows,
               .activation = activation};
    mp_parallel(run_linear, &a, num_threads);
}

static void run_norm(void *context, int thread, int num_threads) {
    const alone *a = context;
    kernels->norm(a->norm, a->from, a->to, a->rows, a->width, thread, num_threads);
}

/* to (rows, width) = norm(from). */
void mp_norm_rows(const mp_norm *norm, const float *from, float *to, int32_t rows,
                  int32_t width, int32_t num_threads) {
    alone a = {.norm = norm, .from = from, .to = to, .rows = rows, .width = width};
    mp_parallel(run_norm, &a, num_threads);
}

typedef struct {
    const mp_body *body;
    const mp_slot *slots;
    const float *key_value;
    const int32_t *slot, *position;
    int32_t layer, rows;
} source;

static void run_source(void *context, int thread, int num_threads) {
    const source *s = context;
    kernels->remember_source(s->body, s->slots, s->layer, s->key_value, s->slot,
                             s->position, s->rows, thread, num_threads);
}

/* Keep keys and values (rows, 2 x heads) of an encoder's states for one layer. */
void mp_keep_source(const mp_body *body, const mp_slot *slots, int32_t layer,
                    const float *key_value, const int32_t *slot, const int32_t *position,
                    int32_t rows, int32_t num_threads) {
    source s = {body, slots, key_value, slot, position, layer, rows};
    mp_parallel(run_source, &s, num_threads);
}
