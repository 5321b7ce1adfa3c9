/* The kernels, compiled once per instruction set: MP_KERNELS names the table made.
 *
 * Changes when the arithmetic of a layer changes. Every number is summed in the order of
 * its inputs, whoever shares the call: a row's result does not depend on its neighbours.
 */
#include "kernels.h"
#include "vectors.h"

#include <math.h>
#include <stddef.h>

#if LANES == 16
#define WIDE_ROWS 12
#elif LANES == 8 || defined(__aarch64__)
#define WIDE_ROWS 6
#else
#define WIDE_ROWS 3
#endif

/* Up to here a panel of int8 is converted anew for every band of rows. */
#define MOST_NARROW (3 * WIDE_ROWS)

#define SMALLER(a, b) ((a) < (b) ? (a) : (b))
#define PANELS(size) (((size) + MP_PANEL - 1) / MP_PANEL)

typedef struct {
    const float *scales, *bias; /* of the first panel's outputs */
    int activation, write;
} finish;

INLINE vf activated(vf x, int activation) {
    switch (activation) {
    case MP_GELU:
        return 0.5f * x * (1.0f + error_function(x * 0.70710678f));
    case MP_GELU_NEW:
        return 0.5f * x *
               (1.0f + hyperbolic_tangent(0.79788456f * (x + 0.044715f * x * x * x)));
    case MP_RELU:
        return larger(x, all(0.0f));
    case MP_SILU:
        return x / (1.0f + exponential(-x));
    case MP_TANH:
        return hyperbolic_tangent(x);
    default:
        return x;
    }
}

INLINE vf finished(vf sum, const finish *how, int column, vf before) {
    if (how->scales) sum = sum * load(how->scales + column);
    if (how->bias) sum = sum + load(how->bias + column);
    sum = activated(sum, how->activation);
    if (how->write == MP_ADD) return before + sum;
    if (how->write == MP_TIMES) return before * sum;
    return sum;
}

static __attribute__((noinline)) void put(float *to, const vf *sums, int columns, const finish *how, int column) {
    if (columns >= MP_PANEL) {
        for (int v = 0; v < PER_PANEL; v++) {
            float *place = to + v * LANES;
            vf before = how->write == MP_SET ? all(0.0f) : load(place);
            store(place, finished(sums[v], how, column + v * LANES, before));
        }
        return;
    }
    float whole[MP_PANEL] = {0};
    for (int c = 0; c < columns; c++) whole[c] = to[c];
    for (int v = 0; v < PER_PANEL; v++) {
        float *place = whole + v * LANES;
        store(place, finished(sums[v], how, column + v * LANES, load(place)));
    }
    for (int c = 0; c < columns; c++) to[c] = whole[c];
}

/* to (rows, panels * 16) from (rows, in) and panels; begins with what ``to`` holds where
 * ``continues``. Sizes known to the compiler keep every sum in a register. */
INLINE void multiply(const int rows, const int panels, const int is_int8, int in,
                     const float *from, int64_t from_stride, const void *weights,
                     int64_t panel_stride, float *to, int64_t to_stride, int columns,
                     const finish *how, int continues) {
    vf sums[rows][panels][PER_PANEL];
    for (int r = 0; r < rows; r++)
        for (int p = 0; p < panels; p++)
            for (int v = 0; v < PER_PANEL; v++)
                sums[r][p][v] =
                    continues ? load(to + r * to_stride + p * MP_PANEL + v * LANES)
                              : all(0.0f);
    for (int k = 0; k < in; k++) {
#pragma GCC unroll 4
        for (int p = 0; p < panels; p++) {
            vf of_panel[PER_PANEL];
            int64_t place = p * panel_stride + (int64_t)k * MP_PANEL;
#pragma GCC unroll 4
            for (int v = 0; v < PER_PANEL; v++)
                of_panel[v] = is_int8
                                  ? load_int8((const int8_t *)weights + place + v * LANES)
                                  : load((const float *)weights + place + v * LANES);
#pragma GCC unroll 12
            for (int r = 0; r < rows; r++) {
                vf input = all(from[r * from_stride + k]);
#pragma GCC unroll 4
                for (int v = 0; v < PER_PANEL; v++)
                    sums[r][p][v] = fused(input, of_panel[v], sums[r][p][v]);
            }
        }
    }
    for (int r = 0; r < rows; r++)
        for (int p = 0; p < panels; p++)
            put(to + r * to_stride + p * MP_PANEL, sums[r][p], columns - p * MP_PANEL,
                how, p * MP_PANEL);
}

#define CASE(rows_, panels_)                                                             \
    case rows_:                                                                          \
        multiply(rows_, panels_, is_int8, in, from, from_stride, weights, panel_stride,  \
                 to, to_stride, columns, how, continues);                                \
        break;

INLINE void multiply_rows(int rows, const int is_int8, int in, const float *from,
                          int64_t from_stride, const void *weights, float *to,
                          int64_t to_stride, int columns, const finish *how,
                          int continues) {
    const int64_t panel_stride = 0;
    switch (rows) {
        CASE(1, 1)
        CASE(2, 1)
        CASE(3, 1)
#if WIDE_ROWS > 3
        CASE(4, 1)
        CASE(5, 1)
        CASE(6, 1)
#endif
#if WIDE_ROWS > 6
        CASE(7, 1)
        CASE(8, 1)
        CASE(9, 1)
        CASE(10, 1)
        CASE(11, 1)
        CASE(12, 1)
#endif
    }
}

/* Rows 1 .. WIDE_ROWS of one panel. */
static __attribute__((noinline)) void
multiply_panel(int rows, int is_int8, int in, const float *from, int64_t from_stride,
               const void *weights, float *to, int64_t to_stride, int columns,
               const finish *how, int continues) {
    if (is_int8)
        multiply_rows(rows, 1, in, from, from_stride, weights, to, to_stride, columns,
                      how, continues);
    else
        multiply_rows(rows, 0, in, from, from_stride, weights, to, to_stride, columns,
                      how, continues);
}

INLINE void multiply_few(int rows, const int is_int8, int in, const float *from,
                         int64_t from_stride, const void *weights, int64_t panel_stride,
                         float *to, int64_t to_stride, int columns, const finish *how) {
    const int continues = 0;
    switch (rows) {
        CASE(1, 4)
        CASE(2, 2)
    }
}

/* Few rows and several panels: enough sums at once to hide the latency of each. */
static __attribute__((noinline)) void
multiply_panels(int rows, int is_int8, int in, const float *from, int64_t from_stride,
                const void *weights, int64_t panel_stride, float *to, int64_t to_stride,
                int columns, const finish *how) {
    if (is_int8)
        multiply_few(rows, 1, in, from, from_stride, weights, panel_stride, to,
                     to_stride, columns, how);
    else
        multiply_few(rows, 0, in, from, from_stride, weights, panel_stride, to,
                     to_stride, columns, how);
}

static int together(int rows) { return rows == 1 ? 4 : rows == 2 ? 2 : 1; }

static void share(int amount, int thread, int num_threads, int *first, int *last) {
    *first = (int)((int64_t)amount * thread / num_threads);
    *last = (int)((int64_t)amount * (thread + 1) / num_threads);
}

/* Rows to take next of those left: the last two bands alike, since one row alone waits
 * for its own sums. */
static int next_rows(int left) {
    return left >= 2 * WIDE_ROWS || left <= WIDE_ROWS ? SMALLER(left, WIDE_ROWS)
                                                      : (left + 1) / 2;
}

static void widen(const int8_t *panel, float *room, int in) {
    for (int64_t i = 0; i < (int64_t)in * MP_PANEL; i += LANES)
        store(room + i, load_int8(panel + i));
}

static finish finish_of(const mp_linear *weights, int panel, int activation, int write) {
    int column = panel * MP_PANEL;
    finish how = {weights->scales ? weights->scales + column : NULL,
                  weights->bias ? weights->bias + column : NULL, activation, write};
    return how;
}

static const void *panel_of(const mp_linear *weights, int panel) {
    int64_t place = (int64_t)panel * weights->in * MP_PANEL;
    if (weights->is_int8) return (const int8_t *)weights->panels + place;
    return (const float *)weights->panels + place;
}

static void narrow(const mp_linear *weights, const float *from, float *to, int rows,
                   int activation, int write, int first, int last) {
    const int in = weights->in, out = weights->out, is_int8 = weights->is_int8;
    const int64_t stride = (int64_t)in * MP_PANEL;
    const int step = together(rows);
    for (int panel = first; panel < last;) {
        finish how = finish_of(weights, panel, activation, write);
        const void *panels = panel_of(weights, panel);
        float *place = to + (int64_t)panel * MP_PANEL;
        const int columns = out - panel * MP_PANEL;
        if (step > 1 && panel + step <= last) {
            multiply_panels(rows, is_int8, in, from, in, panels, stride, place, out,
                            columns, &how);
            panel += step;
            continue;
        }
        for (int row = 0; row < rows;) {
            const int count = next_rows(rows - row);
            multiply_panel(count, is_int8, in, from + (int64_t)row * in, in, panels,
                           place + (int64_t)row * out, out, columns, &how, 0);
            row += count;
        }
        panel++;
    }
}

static void wide(const mp_linear *weights, const float *from, float *to, int rows,
                 int activation, int write, float *room, int first, int last) {
    const int in = weights->in, out = weights->out;
    for (int panel = first; panel < last; panel++) {
        finish how = finish_of(weights, panel, activation, write);
        const float *numbers = panel_of(weights, panel);
        if (weights->is_int8) {
            widen(panel_of(weights, panel), room, in);
            numbers = room;
        }
        const int columns = out - panel * MP_PANEL;
        for (int row = 0; row < rows;) {
            int count = next_rows(rows - row);
            multiply_panel(count, 0, in, from + (int64_t)row * in, in, numbers,
                           to + (int64_t)row * out + panel * MP_PANEL, out, columns,
                           &how, 0);
            row += count;
        }
    }
}

static void linear(const mp_linear *weights, const float *from, float *to, int rows,
                   int activation, int write, float *room, int thread,
                   int num_threads) {
    const int panels = PANELS(weights->out);
    int first, last;
    if (rows <= MOST_NARROW) {
        share(panels, thread, num_threads, &first, &last);
        narrow(weights, from, to, rows, activation, write, first, last);
        return;
    }
    /* threads share panels, and rows too where panels are too few for all of them */
    const int columns = SMALLER(num_threads, panels);
    const int bands = num_threads / columns;
    if (thread >= columns * bands) return;
    int first_row, last_row;
    share(panels, thread % columns, columns, &first, &last);
    share(PANELS(rows), thread / columns, bands, &first_row, &last_row);
    first_row *= MP_PANEL;
    last_row = SMALLER(last_row * MP_PANEL, rows);
    wide(weights, from + (int64_t)first_row * weights->in,
         to + (int64_t)first_row * weights->out, last_row - first_row, activation, write,
         room, first, last);
}

INLINE vf spread_of(const float *from, int width, float mean) {
    vf squares = all(0.0f);
    int c = 0;
    for (; c + LANES <= width; c += LANES) {
        vf centred = load(from + c) - mean;
        squares = fused(centred, centred, squares);
    }
    float rest = 0;
    for (; c < width; c++) rest += (from[c] - mean) * (from[c] - mean);
    squares[0] += rest;
    return squares;
}

static void normalise(const mp_norm *norm, const float *from, float *to, int width) {
    float mean = 0;
    if (norm->kind == MP_LAYER_NORM) {
        vf total = all(0.0f);
        int c = 0;
        for (; c + LANES <= width; c += LANES) total = total + load(from + c);
        float rest = 0;
        for (; c < width; c++) rest += from[c];
        mean = (sum_of(total) + rest) / (float)width;
    }
    float variance = sum_of(spread_of(from, width, mean)) / (float)width;
    float scale = 1.0f / sqrtf(variance + norm->epsilon);
    for (int c = 0; c < width; c++) {
        float value = (from[c] - mean) * scale;
        if (norm->gamma) value *= norm->gamma[c];
        if (norm->beta) value += norm->beta[c];
        to[c] = value;
    }
}

static void norm(const mp_norm *norm, const float *from, float *to, int rows, int width,
                 int thread, int num_threads) {
    int first, last;
    share(rows, thread, num_threads, &first, &last);
    for (int row = first; row < last; row++)
        normalise(norm, from + (int64_t)row * width, to + (int64_t)row * width, width);
}

static void turn(const mp_body *body, float *heads, int position) {
    const int half = body->head_size / 2;
    const float *cosines = body->cosines + (int64_t)position * half;
    const float *sines = body->sines + (int64_t)position * half;
    for (int head = 0; head < body->num_heads; head++) {
        float *numbers = heads + head * body->head_size;
        for (int i = 0; i < half; i++) {
            int one = body->rotary == MP_HALVES ? i : 2 * i;
            int other = body->rotary == MP_HALVES ? i + half : 2 * i + 1;
            float a = numbers[one], b = numbers[other];
            numbers[one] = a * cosines[i] - b * sines[i];
            numbers[other] = b * cosines[i] + a * sines[i];
        }
    }
}

static void keep(const mp_body *body, const mp_slot *slot, int layer, int place,
                 const float *key, const float *value) {
    const int size = body->head_size, groups = PANELS(size);
    float *keys = slot->keys + layer * slot->layer_stride_keys;
    float *values = slot->values + layer * slot->layer_stride_values;
    const int64_t capacity = slot->capacity;
    for (int head = 0; head < body->num_heads; head++) {
        float *of_head = keys + head * capacity * size +
                         (int64_t)(place / MP_PANEL) * size * MP_PANEL + place % MP_PANEL;
        for (int d = 0; d < size; d++) of_head[(int64_t)d * MP_PANEL] = *key++;
        of_head = values + head * capacity * groups * MP_PANEL + (int64_t)place * MP_PANEL;
        for (int d = 0; d < size; d++)
            of_head[(d / MP_PANEL) * capacity * MP_PANEL + d % MP_PANEL] = *value++;
    }
}

static void remember(const mp_body *body, const mp_rows *rows, int layer,
                     float *query_key_value, int thread, int num_threads) {
    const int width = body->num_heads * body->head_size;
    int first, last;
    share(rows->num_rows, thread, num_threads, &first, &last);
    for (int row = first; row < last; row++) {
        float *query = query_key_value + (int64_t)row * 3 * width;
        if (body->rotary) {
            turn(body, query, rows->position[row]);
            turn(body, query + width, rows->position[row]);
        }
        keep(body, rows->slots + rows->slot[row], layer, rows->place[row],
             query + width, query + 2 * width);
    }
}

static void remember_source(const mp_body *body, const mp_slot *slots, int layer,
                            const float *key_value, const int32_t *slot,
                            const int32_t *position, int rows, int thread,
                            int num_threads) {
    const int width = body->num_heads * body->head_size;
    int first, last;
    share(rows, thread, num_threads, &first, &last);
    for (int row = first; row < last; row++) {
        const float *key = key_value + (int64_t)row * 2 * width;
        keep(body, slots + slot[row], layer, position[row], key, key + width);
    }
}

static void soften(float *scores, int count, int room) {
    vf most = all(-INFINITY);
    float rest = -INFINITY;
    int k = 0;
    for (; k + LANES <= count; k += LANES) most = larger(most, load(scores + k));
    for (; k < count; k++) rest = scores[k] > rest ? scores[k] : rest;
    float top = largest_of(most);
    top = rest > top ? rest : top;
    for (k = count; k < room; k++) scores[k] = -INFINITY;
    vf total = all(0.0f);
    for (k = 0; k < room; k += LANES) {
        vf part = load(scores + k) - top;
        vi real = part >= -87.0f;
        part = (vf)((vi)exponential(part) & real);
        store(scores + k, part);
        total = total + part;
    }
    float scale = 1.0f / sum_of(total);
    for (k = 0; k < room; k += LANES) store(scores + k, load(scores + k) * scale);
}

/* A few rows of one sequence, one head of them. */
typedef struct {
    const mp_body *body;
    int head, rows;
    const int32_t *position, *limit;
    const float *queries;
    int64_t query_stride;
    float *mixed;
    float *scores; /* WIDE_ROWS x stride */
    int64_t stride;
    float *relations; /* WIDE_ROWS x padded distances */
} tile;

static const finish as_it_is = {NULL, NULL, MP_LINEAR, MP_SET};

static void score(const tile *t, const mp_slot *slot, int layer, int first, int count) {
    const int size = t->body->head_size;
    const float *keys = slot->keys + layer * slot->layer_stride_keys +
                        (int64_t)t->head * slot->capacity * size;
    for (int panel = 0; panel < PANELS(count); panel++)
        multiply_panel(t->rows, 0, size, t->queries, t->query_stride,
                       keys + (int64_t)panel * size * MP_PANEL,
                       t->scores + first + panel * MP_PANEL, t->stride, MP_PANEL,
                       &as_it_is, 0);
}

static void mix(const tile *t, const mp_slot *slot, int layer, int first, int count,
                int continues) {
    const int size = t->body->head_size, groups = PANELS(size);
    const int64_t width = t->body->num_heads * size;
    const float *values = slot->values + layer * slot->layer_stride_values +
                          (int64_t)t->head * slot->capacity * groups * MP_PANEL;
    for (int group = 0; group < groups; group++)
        multiply_panel(t->rows, 0, count, t->scores + first, t->stride,
                       values + (int64_t)group * slot->capacity * MP_PANEL,
                       t->mixed + group * MP_PANEL, width, size - group * MP_PANEL,
                       &as_it_is, continues);
}

static int distance(const mp_body *body, int apart) {
    int farthest = body->num_distances / 2;
    apart = apart > farthest ? farthest : apart < -farthest ? -farthest : apart;
    return apart + farthest;
}

static void add_relations(const tile *t) {
    const mp_body *body = t->body;
    const int stride = PANELS(body->num_distances) * MP_PANEL;
    for (int panel = 0; panel < PANELS(body->num_distances); panel++)
        multiply_panel(t->rows, 0, body->head_size, t->queries, t->query_stride,
                       body->relation_keys + (int64_t)panel * body->head_size * MP_PANEL,
                       t->relations + panel * MP_PANEL, stride, MP_PANEL, &as_it_is, 0);
    for (int r = 0; r < t->rows; r++)
        for (int k = 0; k < t->limit[r]; k++)
            t->scores[r * t->stride + k] +=
                t->relations[r * stride + distance(body, k - t->position[r])];
}

static void mix_relations(const tile *t) {
    const mp_body *body = t->body;
    const int stride = PANELS(body->num_distances) * MP_PANEL;
    memset(t->relations, 0, sizeof(float) * t->rows * stride);
    for (int r = 0; r < t->rows; r++)
        for (int k = 0; k < t->limit[r]; k++)
            t->relations[r * stride + distance(body, k - t->position[r])] +=
                t->scores[r * t->stride + k];
    const int64_t width = body->num_heads * body->head_size;
    for (int group = 0; group < PANELS(body->head_size); group++)
        multiply_panel(
            t->rows, 0, body->num_distances, t->relations, stride,
            body->relation_values + (int64_t)group * body->num_distances * MP_PANEL,
            t->mixed + group * MP_PANEL, width, body->head_size - group * MP_PANEL,
            &as_it_is, 1);
}

static void weigh(const tile *t, int of_source, int most) {
    const mp_body *body = t->body;
    if (body->scale != 1.0f)
        for (int r = 0; r < t->rows; r++)
            for (int k = 0; k < most; k++) t->scores[r * t->stride + k] *= body->scale;
    if (body->bias && !of_source) {
        const int64_t reach = body->bias_reach;
        const float *bias = body->bias + t->head * (2 * reach + 1) + reach;
        for (int r = 0; r < t->rows; r++)
            for (int k = 0; k < t->limit[r]; k++)
                t->scores[r * t->stride + k] += bias[k - t->position[r]];
    }
    const int room = PANELS(most) * MP_PANEL;
    for (int r = 0; r < t->rows; r++)
        soften(t->scores + r * t->stride, SMALLER(t->limit[r], most), room);
}

static void attend_tile(const tile *t, const mp_rows *rows, int first_row, int layer,
                        int of_source) {
    const mp_slot *own = of_source ? rows->source_slots + rows->source_slot[first_row]
                                   : rows->slots + rows->slot[first_row];
    int shared = of_source ? 0 : rows->shared_length[first_row];
    int most = 0;
    for (int r = 0; r < t->rows; r++) most = t->limit[r] > most ? t->limit[r] : most;
    shared = SMALLER(shared, most);
    const mp_slot *before = shared ? rows->slots + rows->shared_slot[first_row] : NULL;
    if (shared) score(t, before, layer, 0, shared);
    if (most > shared) score(t, own, layer, shared, most - shared);
    if (t->body->num_distances && !of_source) add_relations(t);
    weigh(t, of_source, most);
    if (shared) mix(t, before, layer, 0, shared, 0);
    if (most > shared) mix(t, own, layer, shared, most - shared, shared > 0);
    if (t->body->num_distances && !of_source) mix_relations(t);
}

static int is_of_tile(const mp_rows *rows, int a, int b, int of_source) {
    if (of_source) return rows->source_slot[a] == rows->source_slot[b];
    return rows->slot[a] == rows->slot[b] &&
           rows->shared_length[a] == rows->shared_length[b];
}

static void attend(const mp_body *body, const mp_rows *rows, int layer,
                   const float *queries, int query_stride, int of_source, float *mixed,
                   float *room, int thread, int num_threads) {
    const int width = body->num_heads * body->head_size;
    const int32_t *limits = of_source ? rows->source_length : rows->limit;
    tile t = {.body = body, .query_stride = query_stride, .scores = room};
    t.stride = PANELS(rows->longest) * MP_PANEL + 2 * MP_PANEL;
    t.relations = room + WIDE_ROWS * t.stride;
    int task = 0;
    for (int row = 0; row < rows->num_rows;) {
        int end = row + 1;
        while (end < rows->num_rows && end < row + WIDE_ROWS &&
               is_of_tile(rows, row, end, of_source))
            end++;
        for (t.head = 0; t.head < body->num_heads; t.head++, task++) {
            if (task % num_threads != thread) continue;
            t.rows = end - row;
            t.position = rows->position + row;
            t.limit = limits + row;
            t.queries = queries + (int64_t)row * query_stride + t.head * body->head_size;
            t.mixed = mixed + (int64_t)row * width + t.head * body->head_size;
            attend_tile(&t, rows, row, layer, of_source);
        }
        row = end;
    }
}

const mp_kernels MP_KERNELS = {.name = MP_NAME,
                               .wide_rows = WIDE_ROWS,
                               .linear = linear,
                               .norm = norm,
                               .remember = remember,
                               .attend = attend,
                               .remember_source = remember_source};
