/* The kernels, compiled into one library per instruction set, which MP_NAME names.
 *
 * Changes when the arithmetic of a layer changes. Every number is summed in the order of
 * its inputs, whoever shares the call: a row's result does not depend on its neighbours.
 */
#include "kernels.h"
#include "products.h"
#include "vectors.h"

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

/* Numbers of a slot, floats or halves. */
static void *number_at(const mp_slot *slot, void *numbers, int64_t place) {
    return slot->is_half ? (void *)((uint16_t *)numbers + place)
                         : (void *)((float *)numbers + place);
}

static void keep_floats(int size, int64_t capacity, float *keys, float *values,
                        const float *key, const float *value) {
    for (int d = 0; d < size; d++) keys[(int64_t)d * MP_PANEL] = key[d];
    for (int d = 0; d < size; d += MP_PANEL, values += capacity * MP_PANEL)
        for (int i = 0; i < SMALLER(MP_PANEL, size - d); i++) values[i] = value[d + i];
}

static void keep_halves(int size, int64_t capacity, uint16_t *keys, uint16_t *values,
                        const float *key, const float *value) {
    for (int d = 0; d < size; d++) keys[(int64_t)d * MP_PANEL] = to_half(key[d]);
    for (int d = 0; d < size; d += MP_PANEL, values += capacity * MP_PANEL)
        for (int i = 0; i < SMALLER(MP_PANEL, size - d); i++)
            values[i] = to_half(value[d + i]);
}

static void keep_head(const mp_body *body, const mp_slot *slot, int layer, int place,
                      int head, const float *key, const float *value) {
    const int size = body->head_size, groups = PANELS(size);
    const int64_t capacity = slot->capacity;
    void *keys = number_at(slot, slot->keys,
                           layer * slot->layer_stride_keys + head * capacity * size +
                               (int64_t)(place / MP_PANEL) * size * MP_PANEL +
                               place % MP_PANEL);
    void *values = number_at(slot, slot->values,
                             layer * slot->layer_stride_values +
                                 head * capacity * groups * MP_PANEL +
                                 (int64_t)place * MP_PANEL);
    if (slot->is_half)
        keep_halves(size, capacity, keys, values, key, value);
    else
        keep_floats(size, capacity, keys, values, key, value);
}

/* Rows of (.., keys, values); head by head, since places of a panel share cache lines. */
static void keep(const mp_body *body, const mp_slot *slots, int layer, const int32_t *slot,
                 const int32_t *place, const float *keys, int64_t stride, int rows) {
    const int size = body->head_size, width = body->num_heads * size;
    for (int head = 0; head < body->num_heads; head++)
        for (int r = 0; r < rows; r++) {
            const float *key = keys + r * stride + head * size;
            keep_head(body, slots + slot[r], layer, place[r], head, key, key + width);
        }
}

static void remember(const mp_body *body, const mp_rows *rows, int layer,
                     float *query_key_value, int thread, int num_threads) {
    const int width = body->num_heads * body->head_size;
    int first, last;
    share(rows->num_rows, thread, num_threads, &first, &last);
    for (int row = first; row < last; row += MP_PANEL) {
        const int count = SMALLER(MP_PANEL, last - row);
        float *queries = query_key_value + (int64_t)row * 3 * width;
        for (int r = 0; body->rotary && r < count; r++) {
            turn(body, queries + (int64_t)r * 3 * width, rows->position[row + r]);
            turn(body, queries + (int64_t)r * 3 * width + width, rows->position[row + r]);
        }
        keep(body, rows->slots, layer, rows->slot + row, rows->place + row,
             queries + width, 3 * width, count);
    }
}

static void remember_source(const mp_body *body, const mp_slot *slots, int layer,
                            const float *key_value, const int32_t *slot,
                            const int32_t *position, int rows, int thread,
                            int num_threads) {
    const int width = body->num_heads * body->head_size;
    int first, last;
    share(rows, thread, num_threads, &first, &last);
    for (int row = first; row < last; row += MP_PANEL)
        keep(body, slots, layer, slot + row, position + row,
             key_value + (int64_t)row * 2 * width, 2 * width,
             SMALLER(MP_PANEL, last - row));
}

/* exp(scale x (score - the largest)) for the first ``count``, 0 up to ``room``; returns
 * what the sum has to be divided by. */
static float soften(float *scores, int count, int room, float scale) {
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
        vf part = (load(scores + k) - top) * scale;
        vi real = part >= -87.0f;
        part = (vf)((vi)exponential(part) & real);
        store(scores + k, part);
        total = total + part;
    }
    return sum_of(total);
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
    float totals[WIDE_ROWS]; /* of each row's scores */
    float *relations;        /* WIDE_ROWS x padded distances */
} tile;

/* to (rows, columns) = from (rows, in) x panels of floats, or of halves. */
static void times_panels(int rows, int in, const float *from, int64_t from_stride,
                         const void *panels, int is_half, int64_t panel_stride,
                         float *to, int64_t to_stride, int columns, int continues) {
    const int64_t size = is_half ? sizeof(uint16_t) : sizeof(float);
    const multiplication one = is_half ? halves_panel : floats_panel;
    const multiplication several = is_half ? halves_panels : floats_panels;
    const int step = together(rows), count = PANELS(columns);
    for (int panel = 0; panel < count;) {
        const int is_several = step > 1 && panel + step <= count;
        const product p = {.in = in,
                           .from = from,
                           .from_stride = from_stride,
                           .panels = (const char *)panels + panel * panel_stride * size,
                           .panel_stride = panel_stride,
                           .to = to + panel * MP_PANEL,
                           .to_stride = to_stride,
                           .columns = columns - panel * MP_PANEL,
                           .how = &as_it_is,
                           .continues = continues};
        (is_several ? several : one)(rows, &p);
        panel += is_several ? step : 1;
    }
}

static void score(const tile *t, const mp_slot *slot, int layer, int first, int count) {
    const int size = t->body->head_size;
    const void *keys = number_at(slot, slot->keys,
                                 layer * slot->layer_stride_keys +
                                     (int64_t)t->head * slot->capacity * size);
    times_panels(t->rows, size, t->queries, t->query_stride, keys, slot->is_half,
                 size * MP_PANEL, t->scores + first, t->stride,
                 PANELS(count) * MP_PANEL, 0);
}

static void mix(const tile *t, const mp_slot *slot, int layer, int first, int count,
                int continues) {
    const int size = t->body->head_size;
    const void *values = number_at(
        slot, slot->values,
        layer * slot->layer_stride_values +
            (int64_t)t->head * slot->capacity * PANELS(size) * MP_PANEL);
    times_panels(t->rows, count, t->scores + first, t->stride, values, slot->is_half,
                 (int64_t)slot->capacity * MP_PANEL, t->mixed,
                 t->body->num_heads * size, size, continues);
}

static int distance(const mp_body *body, int apart) {
    int farthest = body->num_distances / 2;
    apart = apart > farthest ? farthest : apart < -farthest ? -farthest : apart;
    return apart + farthest;
}

static void add_relations(const tile *t) {
    const mp_body *body = t->body;
    const int stride = PANELS(body->num_distances) * MP_PANEL;
    times_panels(t->rows, body->head_size, t->queries, t->query_stride,
                 body->relation_keys, 0, body->head_size * MP_PANEL, t->relations,
                 stride, stride, 0);
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
    times_panels(t->rows, body->num_distances, t->relations, stride,
                 body->relation_values, 0, (int64_t)body->num_distances * MP_PANEL,
                 t->mixed, body->num_heads * body->head_size, body->head_size, 1);
}

static void weigh(tile *t, int of_source, int most) {
    const mp_body *body = t->body;
    const int room = PANELS(most) * MP_PANEL, has_bias = body->bias && !of_source;
    for (int r = 0; r < t->rows; r++) {
        float *scores = t->scores + r * t->stride;
        if (has_bias) { /* of scaled scores */
            const int64_t reach = body->bias_reach;
            const float *bias = body->bias + t->head * (2 * reach + 1) + reach;
            for (int k = 0; k < t->limit[r]; k++)
                scores[k] = scores[k] * body->scale + bias[k - t->position[r]];
        }
        t->totals[r] = soften(scores, SMALLER(t->limit[r], most), room,
                              has_bias ? 1.0f : body->scale);
    }
}

/* Divide what was mixed by weights that do not sum to one yet. */
static void settle_mixed(const tile *t) {
    const int size = t->body->head_size;
    for (int r = 0; r < t->rows; r++) {
        float *mixed = t->mixed + (int64_t)r * t->body->num_heads * size;
        const float scale = 1.0f / t->totals[r];
        for (int d = 0; d < size; d++) mixed[d] *= scale;
    }
}

static void attend_tile(tile *t, const mp_rows *rows, int first_row, int layer,
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
    settle_mixed(t);
}

static int is_of_tile(const mp_rows *rows, int a, int b, int of_source) {
    if (of_source) return rows->source_slot[a] == rows->source_slot[b];
    return rows->slot[a] == rows->slot[b] &&
           rows->shared_length[a] == rows->shared_length[b];
}

static void attend(const mp_body *body, const mp_rows *rows, int layer,
                   const float *queries, int query_stride, int of_source, float *mixed,
                   float *room) {
    const int width = body->num_heads * body->head_size;
    const int32_t *limits = of_source ? rows->source_length : rows->limit;
    tile t = {.body = body, .query_stride = query_stride, .scores = room};
    t.stride = PANELS(rows->longest) * MP_PANEL + 2 * MP_PANEL;
    t.relations = room + WIDE_ROWS * t.stride;
    int piece = 0, claimed = mp_claim();
    for (int row = 0; row < rows->num_rows;) {
        int end = row + 1;
        while (end < rows->num_rows && end < row + WIDE_ROWS &&
               is_of_tile(rows, row, end, of_source))
            end++;
        for (t.head = 0; t.head < body->num_heads; t.head++, piece++) {
            if (piece != claimed) continue;
            claimed = mp_claim();
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

const mp_kernels mp_table = {.name = MP_NAME,
                             .wide_rows = WIDE_ROWS,
                             .round = round_rows,
                             .linear = linear,
                             .norm = norm,
                             .remember = remember,
                             .attend = attend,
                             .remember_source = remember_source};
