/* Products of rows and matrices, for one instruction set.
 *
 * Changes when multiplying is arranged in another way. A float32 matrix is multiplied in
 * float32. An int8 matrix meets rows rounded to short integers, each row with a scale of
 * its own: pairs of products are summed in int32, exactly, so the order does not matter.
 * The shorts are as long as the sums allow (13 bits and more up to 4,096 inputs): what
 * rounding costs is far below that of the weights.
 *
 * A matrix of seven bits meets rows rounded to bytes: four products at a time, exact as
 * well, and half as many instructions; here the rows' rounding is what costs. Its numbers
 * w stand there as w + 64, so a row's sums are too large by 64 times the sum of the row.
 */
#ifndef PRODUCTS_H
#define PRODUCTS_H

#include "kernels.h"
#include "pool.h"
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

#if defined(__AMX_INT8__)
#define WHOLE_BANDS 48 /* rows that bands of WIDE_ROWS fill, and tiles as well */
#else
#define WHOLE_BANDS WIDE_ROWS
#endif

#define BLOCK_BYTES (128 * 1024) /* of rows that are multiplied while a cache holds them */
#define PIECE_PRODUCTS 262144    /* about ten microseconds */
#define LARGEST_INT8 127
#define OFFSET 64 /* of weights of seven bits */

#define SMALLER(a, b) ((a) < (b) ? (a) : (b))
#define PANELS(size) (((size) + MP_PANEL - 1) / MP_PANEL)

typedef struct {
    const float *scales, *bias; /* of the first panel's outputs */
    int activation, write;
} finish;

static const finish as_it_is = {NULL, NULL, MP_LINEAR, MP_SET};

INLINE vf activated(vf x, int activation) {
    switch (activation) {
    case MP_GELU:
        return weighed_by(x, &normal);
    case MP_GELU_NEW:
        return weighed_by(x, &nearly_normal);
    case MP_RELU:
        return larger(all(0.0f), x); /* what is no number stays none */
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

/* Where a product reads and writes. */
typedef struct {
    int in;
    const void *from;    /* rows of float, of int16 in pairs, or of int8 in fours */
    int64_t from_stride; /* numbers between rows */
    const float *row_scales;
    const int32_t *row_offsets;
    const void *panels;
    int64_t panel_stride; /* numbers between panels */
    float *to;
    int64_t to_stride;
    int columns;
    const finish *how;
    int continues; /* sums begin with what ``to`` holds */
} product;

/* Finish the sums of some rows of one panel and put them where they belong: whatever a
 * panel's outputs share is read once. */
static __attribute__((noinline)) void put(const product *p, int rows, int panel,
                                          const vf *sums, int stride) {
    const int column = panel * MP_PANEL, columns = p->columns - column;
    const finish *how = p->how;
    float *to = p->to + column;
    if (how == &as_it_is && columns >= MP_PANEL) {
        for (int r = 0; r < rows; r++, to += p->to_stride, sums += stride)
            for (int v = 0; v < PER_PANEL; v++) store(to + v * LANES, sums[v]);
        return;
    }
    if (columns < MP_PANEL) {
        for (int r = 0; r < rows; r++, to += p->to_stride, sums += stride) {
            float whole[MP_PANEL] = {0};
            for (int c = 0; c < columns; c++) whole[c] = to[c];
            for (int v = 0; v < PER_PANEL; v++) {
                float *place = whole + v * LANES;
                store(place, finished(sums[v], how, column + v * LANES, load(place)));
            }
            for (int c = 0; c < columns; c++) to[c] = whole[c];
        }
        return;
    }
    vf scales[PER_PANEL], bias[PER_PANEL];
    for (int v = 0; v < PER_PANEL; v++) {
        scales[v] = how->scales ? load(how->scales + column + v * LANES) : all(1.0f);
        bias[v] = how->bias ? load(how->bias + column + v * LANES) : all(0.0f);
    }
    for (int r = 0; r < rows; r++, to += p->to_stride, sums += stride)
        for (int v = 0; v < PER_PANEL; v++) {
            vf sum = sums[v] * scales[v] + bias[v];
            if (how->activation != MP_LINEAR) sum = activated(sum, how->activation);
            if (how->write == MP_ADD) sum = load(to + v * LANES) + sum;
            if (how->write == MP_TIMES) sum = load(to + v * LANES) * sum;
            store(to + v * LANES, sum);
        }
}

/* Sizes known to the compiler keep every sum in a register. The panels are floats, or
 * the upper halves of such. */
INLINE void multiply_reals(const int rows, const int panels, const int is_half,
                           const product *p) {
    const float *from = p->from, *weights = p->panels;
    const uint16_t *halves = p->panels;
    vf sums[rows][panels][PER_PANEL];
    for (int r = 0; r < rows; r++)
        for (int n = 0; n < panels; n++)
            for (int v = 0; v < PER_PANEL; v++)
                sums[r][n][v] =
                    p->continues
                        ? load(p->to + r * p->to_stride + n * MP_PANEL + v * LANES)
                        : all(0.0f);
    for (int k = 0; k < p->in; k++) {
#pragma GCC unroll 4
        for (int n = 0; n < panels; n++) {
            const int64_t place = n * p->panel_stride + (int64_t)k * MP_PANEL;
            vf of_panel[PER_PANEL];
#pragma GCC unroll 4
            for (int v = 0; v < PER_PANEL; v++)
                of_panel[v] = is_half ? load_halves(halves + place + v * LANES)
                                      : load(weights + place + v * LANES);
#pragma GCC unroll 12
            for (int r = 0; r < rows; r++) {
                vf input = all(from[r * p->from_stride + k]);
#pragma GCC unroll 4
                for (int v = 0; v < PER_PANEL; v++)
                    sums[r][n][v] = fused(input, of_panel[v], sums[r][n][v]);
            }
        }
    }
    for (int n = 0; n < panels; n++)
        put(p, rows, n, sums[0][n], panels * PER_PANEL);
}

INLINE void multiply_floats(const int rows, const int panels, const product *p) {
    multiply_reals(rows, panels, 0, p);
}

INLINE void multiply_halves(const int rows, const int panels, const product *p) {
    multiply_reals(rows, panels, 1, p);
}

/* Finish sums of integers: (rows, panels, PER_PANEL). */
INLINE void put_integers(const int rows, const int panels, const product *p,
                         const vi *sums) {
    const int count = panels * PER_PANEL;
    vf real[rows][count];
    for (int r = 0; r < rows; r++)
        for (int v = 0; v < count; v++)
            real[r][v] = as_floats(sums[r * count + v]) * p->row_scales[r];
    for (int n = 0; n < panels; n++) put(p, rows, n, real[0] + n * PER_PANEL, count);
}

INLINE void multiply_shorts(const int rows, const int panels, const product *p) {
    const int16_t *from = p->from;
    const int8_t *weights = p->panels;
    const int pairs = (p->in + 1) / 2;
    vi sums[rows][panels][PER_PANEL];
    for (int r = 0; r < rows; r++)
        for (int n = 0; n < panels; n++)
            for (int v = 0; v < PER_PANEL; v++) sums[r][n][v] = (vi){0};
    for (int k = 0; k < pairs; k++) {
#pragma GCC unroll 4
        for (int n = 0; n < panels; n++) {
            const int8_t *place =
                weights + n * p->panel_stride + (int64_t)k * 2 * MP_PANEL;
            vs of_panel[PER_PANEL];
#pragma GCC unroll 4
            for (int v = 0; v < PER_PANEL; v++)
                of_panel[v] = load_shorts(place + v * 2 * LANES);
#pragma GCC unroll 12
            for (int r = 0; r < rows; r++) {
                vs input = all_pairs(from + r * p->from_stride + 2 * k);
#pragma GCC unroll 4
                for (int v = 0; v < PER_PANEL; v++)
                    sums[r][n][v] = add_pairs(input, of_panel[v], sums[r][n][v]);
            }
        }
    }
    put_integers(rows, panels, p, sums[0][0]);
}

INLINE void multiply_bytes(const int rows, const int panels, const product *p) {
    const int8_t *from = p->from, *weights = p->panels;
    const int quads = (p->in + 3) / 4;
    vi sums[rows][panels][PER_PANEL];
    for (int r = 0; r < rows; r++)
        for (int n = 0; n < panels; n++)
            for (int v = 0; v < PER_PANEL; v++)
                sums[r][n][v] = -p->row_offsets[r] - (vi){0};
    for (int k = 0; k < quads; k++) {
#pragma GCC unroll 4
        for (int n = 0; n < panels; n++) {
            const int8_t *place =
                weights + n * p->panel_stride + (int64_t)k * 4 * MP_PANEL;
            vb of_panel[PER_PANEL];
#pragma GCC unroll 4
            for (int v = 0; v < PER_PANEL; v++)
                of_panel[v] = load_bytes(place + v * 4 * LANES);
#pragma GCC unroll 12
            for (int r = 0; r < rows; r++) {
                vb input = all_quads(from + r * p->from_stride + 4 * k);
#pragma GCC unroll 4
                for (int v = 0; v < PER_PANEL; v++)
                    sums[r][n][v] = add_quads(of_panel[v], input, sums[r][n][v]);
            }
        }
    }
    put_integers(rows, panels, p, sums[0][0]);
}

#define CASE(multiply, rows, panels)                                                     \
    case rows:                                                                           \
        multiply(rows, panels, p);                                                       \
        return;
#define CASES_3(multiply) CASE(multiply, 1, 1) CASE(multiply, 2, 1) CASE(multiply, 3, 1)
#if WIDE_ROWS > 3
#define CASES_6(multiply) CASE(multiply, 4, 1) CASE(multiply, 5, 1) CASE(multiply, 6, 1)
#else
#define CASES_6(multiply)
#endif
#if WIDE_ROWS > 6
#define CASES_12(multiply)                                                               \
    CASE(multiply, 7, 1)                                                                 \
    CASE(multiply, 8, 1)                                                                 \
    CASE(multiply, 9, 1)                                                                 \
    CASE(multiply, 10, 1)                                                                \
    CASE(multiply, 11, 1)                                                                \
    CASE(multiply, 12, 1)
#else
#define CASES_12(multiply)
#endif

/* Rows 1 .. WIDE_ROWS of one panel. */
static __attribute__((noinline)) void floats_panel(int rows, const product *p) {
    switch (rows) {
        CASES_3(multiply_floats)
        CASES_6(multiply_floats)
        CASES_12(multiply_floats)
    }
}

static __attribute__((noinline)) void halves_panel(int rows, const product *p) {
    switch (rows) {
        CASES_3(multiply_halves)
        CASES_6(multiply_halves)
        CASES_12(multiply_halves)
    }
}

static __attribute__((noinline)) void shorts_panel(int rows, const product *p) {
    switch (rows) {
        CASES_3(multiply_shorts)
        CASES_6(multiply_shorts)
        CASES_12(multiply_shorts)
    }
}

static __attribute__((noinline)) void bytes_panel(int rows, const product *p) {
    switch (rows) {
        CASES_3(multiply_bytes)
        CASES_6(multiply_bytes)
        CASES_12(multiply_bytes)
    }
}

/* Few rows and several panels: enough sums at once to hide the latency of each. */
static __attribute__((noinline)) void floats_panels(int rows, const product *p) {
    switch (rows) {
        CASE(multiply_floats, 1, 4)
        CASE(multiply_floats, 2, 2)
    }
}

static __attribute__((noinline)) void halves_panels(int rows, const product *p) {
    switch (rows) {
        CASE(multiply_halves, 1, 4)
        CASE(multiply_halves, 2, 2)
    }
}

static __attribute__((noinline)) void shorts_panels(int rows, const product *p) {
    switch (rows) {
        CASE(multiply_shorts, 1, 4)
        CASE(multiply_shorts, 2, 2)
    }
}

static __attribute__((noinline)) void bytes_panels(int rows, const product *p) {
    switch (rows) {
        CASE(multiply_bytes, 1, 4)
        CASE(multiply_bytes, 2, 2)
    }
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

/* Numbers of a rounded row: the weights take two or four at a time. */
static int64_t whole_groups(const mp_linear *weights) {
    const int group = weights->precision == MP_DYNAMIC ? 4
                      : weights->precision == MP_INT8  ? 2
                                                       : 1;
    return (int64_t)(weights->in + group - 1) / group * group;
}

/* The largest size of a row's numbers; what is not a number spoils it. */
static float largest_size(const float *numbers, int count) {
    vf sizes = all(0.0f), no_number = all(0.0f);
    int c = 0;
    for (; c + LANES <= count; c += LANES) {
        vf x = load(numbers + c);
        sizes = larger(sizes, size_of(x));
        no_number = no_number + (x - x);
    }
    float most = largest_of(sizes), spoilt = sum_of(no_number);
    for (; c < count; c++) {
        float x = numbers[c];
        most = x > most ? x : -x > most ? -x : most;
        spoilt += x - x;
    }
    return most + spoilt;
}

INLINE int32_t nearest_one(float x) { return nearest(all(x))[0]; }

static void to_shorts(const float *from, int in, int64_t room, float scale, int16_t *to) {
    int c = 0;
    for (; c + LANES <= in; c += LANES)
        store_shorts(to + c, nearest(load(from + c) * scale));
    for (; c < in; c++) to[c] = (int16_t)nearest_one(from[c] * scale);
    for (; c < room; c++) to[c] = 0;
}

/* Returns the sum of the bytes. */
static int32_t to_bytes(const float *from, int in, int64_t room, float scale, int8_t *to) {
    vi total = {0};
    int c = 0;
    for (; c + 4 * LANES <= in; c += 4 * LANES) {
        vi of_four[4];
#pragma GCC unroll 4
        for (int v = 0; v < 4; v++) {
            of_four[v] = nearest(load(from + c + v * LANES) * scale);
            total = total + of_four[v];
        }
        store_all_bytes(to + c, of_four[0], of_four[1], of_four[2], of_four[3]);
    }
    for (; c + LANES <= in; c += LANES) {
        vi numbers = nearest(load(from + c) * scale);
        total = total + numbers;
        store_bytes(to + c, numbers);
    }
    int32_t sum = 0;
    for (int i = 0; i < LANES; i++) sum += total[i];
    for (; c < in; c++) sum += to[c] = (int8_t)nearest_one(from[c] * scale);
    for (; c < room; c++) to[c] = 0;
    return sum;
}

/* Round rows as the weights want them, each row by its own scale. */
static void round_rows(const mp_linear *weights, const float *from, int rows,
                       void *rounded, float *scales, int32_t *offsets, int thread,
                       int num_threads) {
    const int in = weights->in, is_bytes = weights->precision == MP_DYNAMIC;
    const int64_t room = whole_groups(weights);
    const float most_of_sums = 2147483647.0f / (LARGEST_INT8 * (float)in);
    const float largest =
        is_bytes ? LARGEST_INT8 : floorf(SMALLER(most_of_sums * 0.999f, 32767.0f));
    int first, last;
    share(rows, thread, num_threads, &first, &last);
    for (int row = first; row < last; row++) {
        const float *numbers = from + (int64_t)row * in;
        const float most = largest_size(numbers, in);
        const float scale = most > 0 ? largest / most : 0.0f;
        offsets[row] = 0;
        if (is_bytes)
            offsets[row] = OFFSET * to_bytes(numbers, in, room, scale,
                                             (int8_t *)rounded + row * room);
        else
            to_shorts(numbers, in, room, scale, (int16_t *)rounded + row * room);
        scales[row] = most / largest;
    }
}

static const void *panel_of(const mp_linear *weights, int panel) {
    const int64_t size = panel * whole_groups(weights) * MP_PANEL;
    if (weights->precision == MP_FLOAT32) return (const float *)weights->panels + size;
    return (const int8_t *)weights->panels + size;
}

static const void *row_of(const mp_linear *weights, const mp_input *input, int row) {
    const int64_t size = row * whole_groups(weights);
    switch (weights->precision) {
    case MP_INT8:
        return (const int16_t *)input->rounded + size;
    case MP_DYNAMIC:
        return (const int8_t *)input->rounded + size;
    default:
        return input->floats + size;
    }
}

typedef void (*multiplication)(int rows, const product *p);

/* By precision, for one panel and for several. */
static const multiplication multiplications[][2] = {
    [MP_FLOAT32] = {floats_panel, floats_panels},
    [MP_INT8] = {shorts_panel, shorts_panels},
    [MP_DYNAMIC] = {bytes_panel, bytes_panels},
};

/* A product that begins with some panel; which rows it takes is said later. */
static product product_of(const mp_linear *weights, int panel, const finish *how) {
    const int64_t stride = whole_groups(weights);
    return (product){.in = weights->in,
                     .from_stride = stride,
                     .panels = panel_of(weights, panel),
                     .panel_stride = stride * MP_PANEL,
                     .to_stride = weights->out,
                     .columns = weights->out - panel * MP_PANEL,
                     .how = how};
}

static finish finish_of(const mp_linear *weights, int panel, int activation, int write) {
    const int column = panel * MP_PANEL;
    return (finish){weights->scales ? weights->scales + column : NULL,
                    weights->bias ? weights->bias + column : NULL, activation, write};
}

/* Let a product begin with some row; ``to`` is where its first panel's outputs go. */
static void take_row(product *p, const mp_linear *weights, const mp_input *input,
                     float *to, int row) {
    p->from = row_of(weights, input, row);
    p->row_scales = input->scales + row;
    p->row_offsets = input->offsets + row;
    p->to = to + (int64_t)row * weights->out;
}

#if defined(__AMX_INT8__)
#include "tiles.h"

static int is_by_tiles(const mp_linear *weights, int rows) {
    return weights->precision == MP_DYNAMIC && rows >= TILE_ROWS;
}

static void multiply_by_tiles(const mp_linear *weights, const mp_input *input, float *to,
                              int first_row, int rows, int activation, int write,
                              int first, int last) {
    const int last_inputs = (int)(whole_groups(weights) % TILE_INPUTS);
    for (int done = 0, shaped = 0; done < rows; done += shaped) {
        const int count = SMALLER(rows - done, TILE_ROWS);
        if (count != shaped) shape_tiles(count, last_inputs);
        shaped = count;
        for (int panel = first; panel < last; panel += TILE_PANELS) {
            const finish how = finish_of(weights, panel, activation, write);
            product p = product_of(weights, panel, &how);
            take_row(&p, weights, input, to + panel * MP_PANEL, first_row + done);
            multiply_tiles(count, SMALLER(last - panel, TILE_PANELS), &p);
        }
    }
    _tile_release();
}
#else
#define TILE_ROWS 1
#define TILE_PANELS 1
#define is_by_tiles(weights, rows) 0
#define multiply_by_tiles(...)
#endif

/* Some rows times some panels. */
static void multiply(const mp_linear *weights, const mp_input *input, float *to,
                     int first_row, int rows, int activation, int write, int first,
                     int last) {
    const int step = together(rows);
    if (is_by_tiles(weights, rows)) {
        multiply_by_tiles(weights, input, to, first_row, rows, activation, write, first,
                          last);
        return;
    }
    for (int panel = first; panel < last;) {
        const finish how = finish_of(weights, panel, activation, write);
        product p = product_of(weights, panel, &how);
        const int is_several = step > 1 && panel + step <= last;
        for (int row = first_row; row < first_row + rows;) {
            const int count = next_rows(first_row + rows - row);
            take_row(&p, weights, input, to + panel * MP_PANEL, row);
            multiplications[weights->precision][is_several](count, &p);
            row += count;
        }
        panel += is_several ? step : 1;
    }
}

/* Panels of one piece of work: enough to be worth claiming, few enough to go round. */
static int panels_of_piece(const mp_linear *weights, int rows, int num_threads) {
    const int step = is_by_tiles(weights, rows) ? TILE_PANELS : together(rows);
    const int panels = PANELS(weights->out);
    const int64_t of_panel = (int64_t)MP_PANEL * weights->in * rows;
    int64_t count = (PIECE_PRODUCTS + of_panel - 1) / of_panel;
    const int fair = (panels + num_threads - 1) / num_threads;
    if (count > fair) count = fair;
    return (int)((count + step - 1) / step * step);
}

static void linear(const mp_linear *weights, const mp_input *input, float *to, int rows,
                   int activation, int write, int num_threads) {
    if (rows == 0) return;
    const int panels = PANELS(weights->out);
    const int64_t sizes[] = {[MP_FLOAT32] = sizeof(float), [MP_INT8] = sizeof(int16_t),
                             [MP_DYNAMIC] = sizeof(int8_t)};
    const int64_t of_row = sizes[weights->precision] * weights->in;
    int block = (int)(BLOCK_BYTES / of_row) / WHOLE_BANDS * WHOLE_BANDS;
    block = SMALLER(block < WHOLE_BANDS ? WHOLE_BANDS : block, rows);
    const int width = panels_of_piece(weights, block, num_threads);
    const int across = (panels + width - 1) / width;
    const int pieces = across * ((rows + block - 1) / block);
    for (int piece = mp_claim(); piece < pieces; piece = mp_claim()) {
        const int row = piece / across * block, panel = piece % across * width;
        multiply(weights, input, to, row, SMALLER(block, rows - row), activation, write,
                 panel, SMALLER(panel + width, panels));
    }
}

#endif
