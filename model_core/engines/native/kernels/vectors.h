/* Vectors of the width that this translation unit is compiled for.
 *
 * Changes when another instruction set needs its own conversion. Arithmetic is the
 * compiler's: GCC and Clang turn these types into AVX-512, AVX2, NEON or SSE.
 */
#ifndef VECTORS_H
#define VECTORS_H

#include <stdint.h>
#include <string.h>

#if defined(__AVX512F__)
#define LANES 16
#elif defined(__AVX__)
#define LANES 8
#else
#define LANES 4
#endif

#define PER_PANEL (16 / LANES)
#define INLINE static inline __attribute__((always_inline))

typedef float vf __attribute__((vector_size(4 * LANES)));
typedef int32_t vi __attribute__((vector_size(4 * LANES)));
typedef int16_t vs __attribute__((vector_size(4 * LANES))); /* 2 * LANES of them */
typedef int8_t vb __attribute__((vector_size(4 * LANES)));  /* 4 * LANES of them */

#if defined(__AVX2__) || defined(__AVX512F__)
#include <immintrin.h>
#elif defined(__SSE2__)
#include <emmintrin.h>
#elif defined(__ARM_NEON)
#include <arm_neon.h>
#endif

INLINE vf load(const float *p) {
    vf v;
    memcpy(&v, p, sizeof v);
    return v;
}

INLINE void store(float *p, vf v) { memcpy(p, &v, sizeof v); }

/* Floats of which the upper halves are kept: bfloat16. */
INLINE vf load_halves(const uint16_t *p) {
    typedef uint16_t half __attribute__((vector_size(2 * LANES)));
    typedef uint32_t whole __attribute__((vector_size(4 * LANES)));
    half v;
    memcpy(&v, p, sizeof v);
    return (vf)(__builtin_convertvector(v, whole) << 16);
}

/* The nearest such half, the even one of two. */
INLINE uint16_t to_half(float x) {
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    if (x != x) return (uint16_t)(bits >> 16 | 0x40); /* no number stays none */
    return (uint16_t)((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}

INLINE vf all(float x) { return x - (vf){0}; }

INLINE vf fused(vf a, vf b, vf c) {
#if defined(__AVX512F__)
    return (vf)_mm512_fmadd_ps((__m512)a, (__m512)b, (__m512)c);
#elif defined(__FMA__)
    return (vf)_mm256_fmadd_ps((__m256)a, (__m256)b, (__m256)c);
#elif defined(__ARM_NEON)
    return (vf)vfmaq_f32((float32x4_t)c, (float32x4_t)a, (float32x4_t)b);
#else
    return a * b + c;
#endif
}

/* 2 * LANES int8 numbers as shorts. */
INLINE vs load_shorts(const int8_t *p) {
#if defined(__AVX512BW__)
    return (vs)_mm512_cvtepi8_epi16(_mm256_loadu_si256((const void *)p));
#elif defined(__AVX2__)
    return (vs)_mm256_cvtepi8_epi16(_mm_loadu_si128((const void *)p));
#elif defined(__SSE2__)
    __m128i bytes = _mm_loadl_epi64((const void *)p);
    return (vs)_mm_srai_epi16(_mm_unpacklo_epi8(bytes, bytes), 8);
#elif defined(__ARM_NEON)
    return (vs)vmovl_s8(vld1_s8(p));
#else
    vs v;
    for (int i = 0; i < 2 * LANES; i++) v[i] = p[i];
    return v;
#endif
}

/* The same two shorts in every lane. */
INLINE vs all_pairs(const int16_t *p) {
    int32_t pair;
    memcpy(&pair, p, sizeof pair);
    return (vs)(pair - (vi){0});
}

/* sum + a0 * b0 + a1 * b1 of every lane's pair. */
INLINE vi add_pairs(vs a, vs b, vi sum) {
#if defined(__AVX512VNNI__)
    return (vi)_mm512_dpwssd_epi32((__m512i)sum, (__m512i)a, (__m512i)b);
#elif defined(__AVX512BW__)
    return sum + (vi)_mm512_madd_epi16((__m512i)a, (__m512i)b);
#elif defined(__AVX2__)
    return sum + (vi)_mm256_madd_epi16((__m256i)a, (__m256i)b);
#elif defined(__SSE2__)
    return sum + (vi)_mm_madd_epi16((__m128i)a, (__m128i)b);
#elif defined(__aarch64__)
    int32x4_t low = vmull_s16(vget_low_s16((int16x8_t)a), vget_low_s16((int16x8_t)b));
    int32x4_t high = vmull_high_s16((int16x8_t)a, (int16x8_t)b);
    return sum + (vi)vpaddq_s32(low, high);
#else
    for (int i = 0; i < LANES; i++)
        sum[i] += (int32_t)a[2 * i] * b[2 * i] + (int32_t)a[2 * i + 1] * b[2 * i + 1];
    return sum;
#endif
}

INLINE vb load_bytes(const int8_t *p) {
    vb v;
    memcpy(&v, p, sizeof v);
    return v;
}

/* The same four bytes in every lane. */
INLINE vb all_quads(const int8_t *p) {
    int32_t quad;
    memcpy(&quad, p, sizeof quad);
    return (vb)(quad - (vi){0});
}

/* sum + a0 * b0 + .. + a3 * b3 of every lane's four; a is never negative, and no two
 * products together leave a short: numbers of seven bits times numbers of eight. */
INLINE vi add_quads(vb a, vb b, vi sum) {
#if defined(__AVX512VNNI__)
    return (vi)_mm512_dpbusd_epi32((__m512i)sum, (__m512i)a, (__m512i)b);
#elif defined(__AVX512BW__)
    __m512i pairs = _mm512_maddubs_epi16((__m512i)a, (__m512i)b);
    return sum + (vi)_mm512_madd_epi16(pairs, _mm512_set1_epi16(1));
#elif defined(__AVX2__)
    __m256i pairs = _mm256_maddubs_epi16((__m256i)a, (__m256i)b);
    return sum + (vi)_mm256_madd_epi16(pairs, _mm256_set1_epi16(1));
#elif defined(__SSE2__)
    __m128i x = (__m128i)a, y = (__m128i)b, none = _mm_setzero_si128();
    __m128i low = _mm_madd_epi16(_mm_unpacklo_epi8(x, none),
                                 _mm_srai_epi16(_mm_unpacklo_epi8(none, y), 8));
    __m128i high = _mm_madd_epi16(_mm_unpackhi_epi8(x, none),
                                  _mm_srai_epi16(_mm_unpackhi_epi8(none, y), 8));
    __m128i first = (__m128i)_mm_shuffle_ps((__m128)low, (__m128)high, 0x88);
    __m128i second = (__m128i)_mm_shuffle_ps((__m128)low, (__m128)high, 0xdd);
    return sum + (vi)_mm_add_epi32(first, second);
#elif defined(__ARM_FEATURE_DOTPROD)
    return (vi)vdotq_s32((int32x4_t)sum, (int8x16_t)a, (int8x16_t)b);
#elif defined(__aarch64__)
    int16x8_t low = vmull_s8(vget_low_s8((int8x16_t)a), vget_low_s8((int8x16_t)b));
    int16x8_t high = vmull_high_s8((int8x16_t)a, (int8x16_t)b);
    return sum + (vi)vpaddq_s32(vpaddlq_s16(low), vpaddlq_s16(high));
#else
    for (int i = 0; i < 4 * LANES; i++) sum[i / 4] += (int32_t)a[i] * b[i];
    return sum;
#endif
}

INLINE vf as_floats(vi v) { return __builtin_convertvector(v, vf); }

/* The nearest integers of numbers below 2^22. */
INLINE vi nearest(vf x) {
    const vf magic = all(12582912.0f); /* 1.5 * 2^23 */
    return (vi)(x + magic) - (vi)magic;
}

INLINE void store_shorts(int16_t *to, vi numbers) {
    typedef int16_t half __attribute__((vector_size(2 * LANES)));
    half narrow = __builtin_convertvector(numbers, half);
    memcpy(to, &narrow, sizeof narrow);
}

INLINE void store_bytes(int8_t *to, vi numbers) {
    typedef int8_t quarter __attribute__((vector_size(LANES)));
    quarter narrow = __builtin_convertvector(numbers, quarter);
    memcpy(to, &narrow, sizeof narrow);
}

/* Four vectors of integers within a byte, in their order. */
INLINE void store_all_bytes(int8_t *to, vi a, vi b, vi c, vi d) {
#if LANES == 8 && defined(__AVX2__)
    const __m256i in_order = _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7);
    __m256i low = _mm256_packs_epi32((__m256i)a, (__m256i)b);
    __m256i high = _mm256_packs_epi32((__m256i)c, (__m256i)d);
    __m256i bytes = _mm256_packs_epi16(low, high);
    bytes = _mm256_permutevar8x32_epi32(bytes, in_order);
    _mm256_storeu_si256((void *)to, bytes);
#else
    store_bytes(to, a);
    store_bytes(to + LANES, b);
    store_bytes(to + 2 * LANES, c);
    store_bytes(to + 3 * LANES, d);
#endif
}

/* a where it is larger, else b, also where either is no number. */
INLINE vf larger(vf a, vf b) {
#if defined(__AVX512F__)
    return (vf)_mm512_max_ps((__m512)a, (__m512)b);
#elif defined(__AVX__)
    return (vf)_mm256_max_ps((__m256)a, (__m256)b);
#else
    vi mask = a > b;
    return (vf)(((vi)a & mask) | ((vi)b & ~mask));
#endif
}

/* a where it is smaller, else b, also where either is no number. */
INLINE vf smaller(vf a, vf b) {
#if defined(__AVX512F__)
    return (vf)_mm512_min_ps((__m512)a, (__m512)b);
#elif defined(__AVX__)
    return (vf)_mm256_min_ps((__m256)a, (__m256)b);
#else
    vi mask = a < b;
    return (vf)(((vi)a & mask) | ((vi)b & ~mask));
#endif
}

INLINE vf size_of(vf x) { return (vf)((vi)x & 0x7fffffff); }

INLINE float sum_of(vf v) {
    float total = 0;
    for (int i = 0; i < LANES; i++) total += v[i];
    return total;
}

INLINE float largest_of(vf v) {
    float most = v[0];
    for (int i = 1; i < LANES; i++) most = v[i] > most ? v[i] : most;
    return most;
}

/* e to the x: two's power times a polynomial, relative error below 2e-7. */
INLINE vf exponential(vf x) {
    x = smaller(larger(x, all(-87.0f)), all(88.0f));
    const vf magic = all(12582912.0f); /* 1.5 * 2^23: rounds to the nearest integer */
    vf shifted = x * 1.44269504f + magic;
    vi power = (vi)shifted - (vi)magic;
    vf n = shifted - magic;
    vf r = fused(n, all(-0.693359375f), x);
    r = fused(n, all(2.12194440e-4f), r);
    vf p = all(1.9875691500e-4f);
    p = fused(p, r, all(1.3981999507e-3f));
    p = fused(p, r, all(8.3334519073e-3f));
    p = fused(p, r, all(4.1665795894e-2f));
    p = fused(p, r, all(1.6666665459e-1f));
    p = fused(p, r, all(5.0000001201e-1f));
    p = fused(p, r * r, r + 1.0f);
    return (vf)((vi)p + (power << 23));
}

/* What is no number stays none. */
INLINE vf hyperbolic_tangent(vf x) {
    const vi is_number = x == x;
    const vf made = 1.0f - 2.0f / (exponential(2.0f * x) + 1.0f);
    return (vf)(((vi)made & is_number) | ((vi)x & ~is_number));
}

/* 1/2 + x P(x^2) / Q(x^2) up to the edge, and what it is there beyond it. */
typedef struct {
    float edge, of_p[5], of_q[6];
} share_below;

/* How much of a normal distribution lies below x, and what tanh makes of it in
 * gelu_new: fits of our own, by least squares weighed by what was missed before until
 * the largest miss was least; in float32 within 2.5e-7. */
static const share_below normal = {
    5.2f,
    {0.398941904f, 0.0495914333f, 0.00551858451f, 0.000314239558f, 5.84020472e-06f},
    {1.0f, 0.29096806f, 0.0373386107f, 0.00270361383f, 0.00011273181f, 5.01868556e-07f},
};
static const share_below nearly_normal = {
    5.0f,
    {0.398942024f, 0.0368170254f, 0.00368902297f, 0.00016491687f, 4.51123879e-06f},
    {1.0f, 0.259774506f, 0.0271918662f, 0.00143583748f, 7.28041268e-05f, 4.3796669e-07f},
};

/* x times the share below it. */
INLINE vf weighed_by(vf x, const share_below *share) {
    vf within = larger(all(-share->edge), smaller(all(share->edge), x));
    vf square = within * within;
    vf p = all(share->of_p[4]), q = all(share->of_q[5]);
#pragma GCC unroll 4
    for (int k = 3; k >= 0; k--) p = fused(p, square, all(share->of_p[k]));
#pragma GCC unroll 5
    for (int k = 4; k >= 0; k--) q = fused(q, square, all(share->of_q[k]));
    return x * fused(within, p / q, all(0.5f));
}

#endif
