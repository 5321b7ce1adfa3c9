/* What the kernels' NEON instructions compute, in plain C.
 *
 * Stands in for the header of this name, so that kernels for ARM can be compiled and
 * checked on any processor. Changes when they use another instruction.
 *
 * Source: Arm Neon Intrinsics Reference.
 */
#ifndef EMULATED_ARM_NEON_H
#define EMULATED_ARM_NEON_H

#include <stdint.h>
#include <string.h>

typedef float float32x4_t __attribute__((vector_size(16)));
typedef int32_t int32x4_t __attribute__((vector_size(16)));
typedef int16_t int16x8_t __attribute__((vector_size(16)));
typedef int16_t int16x4_t __attribute__((vector_size(8)));
typedef int8_t int8x16_t __attribute__((vector_size(16)));
typedef int8_t int8x8_t __attribute__((vector_size(8)));

#define EMULATED static inline __attribute__((always_inline))

/* A vector's half, its upper one where ``half`` is 1. */
#define EMULATED_HALF(name, whole, part, count)                                          \
    EMULATED part name(whole v, int half) {                                              \
        part made;                                                                       \
        for (int i = 0; i < count; i++) made[i] = v[half * count + i];                   \
        return made;                                                                     \
    }
EMULATED_HALF(emulated_half_s16, int16x8_t, int16x4_t, 4)
EMULATED_HALF(emulated_half_s8, int8x16_t, int8x8_t, 8)
#define vget_low_s16(v) emulated_half_s16(v, 0)
#define vget_low_s8(v) emulated_half_s8(v, 0)

/* Products, twice as long as what is multiplied. */
#define EMULATED_PRODUCTS(name, part, whole, count)                                      \
    EMULATED whole name(part a, part b) {                                                \
        whole made;                                                                      \
        for (int i = 0; i < count; i++) made[i] = a[i] * b[i];                           \
        return made;                                                                     \
    }
EMULATED_PRODUCTS(vmull_s16, int16x4_t, int32x4_t, 4)
EMULATED_PRODUCTS(vmull_s8, int8x8_t, int16x8_t, 8)
#define vmull_high_s16(a, b) vmull_s16(emulated_half_s16(a, 1), emulated_half_s16(b, 1))
#define vmull_high_s8(a, b) vmull_s8(emulated_half_s8(a, 1), emulated_half_s8(b, 1))

/* Sums of neighbours, those of a before those of b. */
EMULATED int32x4_t vpaddq_s32(int32x4_t a, int32x4_t b) {
    return (int32x4_t){a[0] + a[1], a[2] + a[3], b[0] + b[1], b[2] + b[3]};
}

EMULATED int32x4_t vpaddlq_s16(int16x8_t v) {
    int32x4_t made;
    for (int i = 0; i < 4; i++) made[i] = (int32_t)v[2 * i] + v[2 * i + 1];
    return made;
}

/* sums + the products of every lane's four */
EMULATED int32x4_t vdotq_s32(int32x4_t sums, int8x16_t a, int8x16_t b) {
    for (int i = 0; i < 16; i++) sums[i / 4] += (int32_t)a[i] * b[i];
    return sums;
}

EMULATED int8x8_t vld1_s8(const int8_t *p) {
    int8x8_t v;
    memcpy(&v, p, sizeof v);
    return v;
}

EMULATED int16x8_t vmovl_s8(int8x8_t v) { return __builtin_convertvector(v, int16x8_t); }

EMULATED float32x4_t vfmaq_f32(float32x4_t c, float32x4_t a, float32x4_t b) {
    for (int i = 0; i < 4; i++) c[i] = __builtin_fmaf(a[i], b[i], c[i]);
    return c;
}

#endif
