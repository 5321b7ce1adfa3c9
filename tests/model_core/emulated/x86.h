/* What the kernels' AVX-512, VNNI and AMX instructions compute, in plain C.
 *
 * Lets kernels for processors that are not here be compiled and checked on any other:
 * included before the first line of the kernels. Changes when they use another.
 *
 * Source: Intel 64 and IA-32 Architectures Software Developer's Manual, volume 2, the
 * operation of each instruction.
 */
#ifndef EMULATED_X86_H
#define EMULATED_X86_H

#include <immintrin.h> /* first: it asks for the instructions where they are defined */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define __AVX__ 1
#define __AVX512F__ 1
#define __AVX512BW__ 1
#ifdef EMULATED_VNNI
#define __AVX512VNNI__ 1
#endif
#ifdef EMULATED_AMX
#define __AMX_INT8__ 1
#endif

#define EMULATED static inline __attribute__((always_inline))

typedef float emulated_floats __attribute__((vector_size(64)));
typedef int32_t emulated_ints __attribute__((vector_size(64)));
typedef int16_t emulated_shorts __attribute__((vector_size(64)));
typedef int8_t emulated_bytes __attribute__((vector_size(64)));
typedef int8_t emulated_half __attribute__((vector_size(32)));
#undef __m512
#undef __m512i
#define __m512 emulated_floats
#define __m512i emulated_ints

EMULATED emulated_floats emulated_fmadd(emulated_floats a, emulated_floats b,
                                        emulated_floats c) {
    for (int i = 0; i < 16; i++) c[i] = __builtin_fmaf(a[i], b[i], c[i]);
    return c;
}
#define _mm512_fmadd_ps emulated_fmadd

/* The second of two, unless the first is larger (or smaller): so with what is no number. */
EMULATED emulated_floats emulated_max(emulated_floats a, emulated_floats b) {
    for (int i = 0; i < 16; i++) b[i] = a[i] > b[i] ? a[i] : b[i];
    return b;
}
#define _mm512_max_ps emulated_max

EMULATED emulated_floats emulated_min(emulated_floats a, emulated_floats b) {
    for (int i = 0; i < 16; i++) b[i] = a[i] < b[i] ? a[i] : b[i];
    return b;
}
#define _mm512_min_ps emulated_min

EMULATED emulated_half emulated_load(const void *p) {
    emulated_half v;
    memcpy(&v, p, sizeof v);
    return v;
}
#define _mm256_loadu_si256 emulated_load

EMULATED emulated_ints emulated_widened(emulated_half bytes) {
    emulated_shorts v;
    for (int i = 0; i < 32; i++) v[i] = bytes[i];
    return (emulated_ints)v;
}
#define _mm512_cvtepi8_epi16 emulated_widened

EMULATED emulated_ints emulated_madd(emulated_ints a, emulated_ints b) {
    emulated_shorts x = (emulated_shorts)a, y = (emulated_shorts)b;
    emulated_ints v;
    for (int i = 0; i < 16; i++)
        v[i] = (int32_t)x[2 * i] * y[2 * i] + (int32_t)x[2 * i + 1] * y[2 * i + 1];
    return v;
}
#define _mm512_madd_epi16 emulated_madd

/* Bytes without a sign times bytes with one; sums of two stay within a short. */
EMULATED emulated_ints emulated_maddubs(emulated_ints a, emulated_ints b) {
    emulated_bytes x = (emulated_bytes)a, y = (emulated_bytes)b;
    emulated_shorts v;
    for (int i = 0; i < 32; i++) {
        int32_t sum = (uint8_t)x[2 * i] * y[2 * i] + (uint8_t)x[2 * i + 1] * y[2 * i + 1];
        v[i] = (int16_t)(sum > 32767 ? 32767 : sum < -32768 ? -32768 : sum);
    }
    return (emulated_ints)v;
}
#define _mm512_maddubs_epi16 emulated_maddubs

EMULATED emulated_ints emulated_all_shorts(int16_t x) {
    emulated_shorts v;
    for (int i = 0; i < 32; i++) v[i] = x;
    return (emulated_ints)v;
}
#define _mm512_set1_epi16 emulated_all_shorts

EMULATED emulated_ints emulated_dpwssd(emulated_ints sum, emulated_ints a,
                                       emulated_ints b) {
    return sum + emulated_madd(a, b);
}
#define _mm512_dpwssd_epi32 emulated_dpwssd

EMULATED emulated_ints emulated_dpbusd(emulated_ints sum, emulated_ints a,
                                       emulated_ints b) {
    emulated_bytes x = (emulated_bytes)a, y = (emulated_bytes)b;
    for (int i = 0; i < 64; i++) sum[i / 4] += (int32_t)(uint8_t)x[i] * y[i];
    return sum;
}
#define _mm512_dpbusd_epi32 emulated_dpbusd

/* Tiles: a processor faults where shapes do not fit, so does this. */
#define EMULATED_TILES 8
typedef struct {
    uint8_t palette, start_row, none[14];
    uint16_t row_bytes[16];
    uint8_t rows[16];
} emulated_shapes;

static __thread emulated_shapes emulated_shape;
static __thread uint8_t emulated_tile[EMULATED_TILES][16][64];

static void emulated_must(int is_true) {
    if (!is_true) abort();
}

static void emulated_loadconfig(const void *shapes) {
    memcpy(&emulated_shape, shapes, sizeof emulated_shape);
    emulated_must(emulated_shape.palette == 1 && emulated_shape.start_row == 0);
    for (int tile = 0; tile < 16; tile++) {
        const int rows = emulated_shape.rows[tile], bytes = emulated_shape.row_bytes[tile];
        emulated_must(rows <= 16 && bytes <= 64 && !rows == !bytes);
        emulated_must(tile < EMULATED_TILES || !rows);
    }
    memset(emulated_tile, 0, sizeof emulated_tile);
}

static void emulated_release(void) {
    memset(&emulated_shape, 0, sizeof emulated_shape);
    memset(emulated_tile, 0, sizeof emulated_tile);
}

static void emulated_zero(int tile) {
    emulated_must(emulated_shape.palette == 1);
    memset(emulated_tile[tile], 0, sizeof emulated_tile[tile]);
}

static void emulated_loadd(int tile, const void *from, int64_t stride) {
    emulated_must(emulated_shape.rows[tile] > 0);
    memset(emulated_tile[tile], 0, sizeof emulated_tile[tile]);
    for (int row = 0; row < emulated_shape.rows[tile]; row++)
        memcpy(emulated_tile[tile][row], (const uint8_t *)from + row * stride,
               emulated_shape.row_bytes[tile]);
}

static void emulated_stored(int tile, void *to, int64_t stride) {
    emulated_must(emulated_shape.rows[tile] > 0);
    for (int row = 0; row < emulated_shape.rows[tile]; row++)
        memcpy((uint8_t *)to + row * stride, emulated_tile[tile][row],
               emulated_shape.row_bytes[tile]);
}

/* sums += a, bytes with a sign, x b, bytes without */
static void emulated_dpbsud(int sums, int a, int b) {
    const emulated_shapes *shape = &emulated_shape;
    emulated_must(shape->rows[sums] > 0 && shape->rows[sums] == shape->rows[a]);
    emulated_must(shape->row_bytes[sums] == shape->row_bytes[b]);
    emulated_must(shape->row_bytes[a] == 4 * shape->rows[b]);
    for (int row = 0; row < shape->rows[sums]; row++)
        for (int k = 0; k < shape->rows[b]; k++)
            for (int column = 0; column < shape->row_bytes[sums] / 4; column++) {
                int32_t sum;
                uint8_t *place = emulated_tile[sums][row] + 4 * column;
                memcpy(&sum, place, sizeof sum);
                for (int i = 0; i < 4; i++)
                    sum += (int8_t)emulated_tile[a][row][4 * k + i] *
                           (int32_t)emulated_tile[b][k][4 * column + i];
                memcpy(place, &sum, sizeof sum);
            }
}

#undef _tile_loadd
#undef _tile_stored
#undef _tile_zero
#undef _tile_dpbsud
#define _tile_loadconfig emulated_loadconfig
#define _tile_release emulated_release
#define _tile_zero emulated_zero
#define _tile_loadd emulated_loadd
#define _tile_stored emulated_stored
#define _tile_dpbsud emulated_dpbsud

#endif
