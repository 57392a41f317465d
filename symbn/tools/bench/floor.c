/*
 * The least time that a pass over arrays can take: each array of `from` is read once, each of `to` is written once, all at the same place
 * at the same time, as a loop over elements does it. Instructions are the widest that the processor has; `streaming` stores go around the
 * caches.
 */
#include <stddef.h>
#include <stdint.h>

/* Arrays of one size, between two places in bytes. Returns the sum of the words that are read. */
typedef uint64_t (*walk)(ptrdiff_t first, ptrdiff_t last, int reads, const char *const *from, int writes, char *const *to);

/* Below this many bytes in all, to wake other threads takes longer than the work. */
#define ALONE (256 * 1024)

static uint64_t walk_plain(ptrdiff_t first, ptrdiff_t last, int reads, const char *const *from, int writes, char *const *to) {
    uint64_t sum = 0;
    ptrdiff_t i;
    int j;
    for (i = first; i + 8 <= last; i += 8) {
        for (j = 0; j < reads; j++) sum += *(const uint64_t *)(from[j] + i);
        for (j = 0; j < writes; j++) *(uint64_t *)(to[j] + i) = sum;
    }
    return sum;
}

#if defined(__x86_64__) && defined(__GNUC__)
#include <immintrin.h>

#define WALK(NAME, TARGET, VECTOR, LOAD, ADD, ZERO, STORE)                                                                       \
    __attribute__((target(TARGET))) static uint64_t walk_##NAME(                                                                 \
        ptrdiff_t first, ptrdiff_t last, int reads, const char *const *from, int writes, char *const *to) {                      \
        const ptrdiff_t w = (ptrdiff_t)sizeof(VECTOR);                                                                           \
        union {                                                                                                                  \
            VECTOR v;                                                                                                            \
            uint64_t u[sizeof(VECTOR) / 8];                                                                                      \
        } sum;                                                                                                                   \
        VECTOR a = ZERO, b = ZERO;                                                                                               \
        uint64_t all = 0;                                                                                                        \
        ptrdiff_t i, k;                                                                                                          \
        int j;                                                                                                                   \
        for (i = first; i + 2 * w <= last; i += 2 * w) {                                                                         \
            for (j = 0; j < reads; j++) {                                                                                        \
                a = ADD(a, LOAD((const void *)(from[j] + i)));                                                                   \
                b = ADD(b, LOAD((const void *)(from[j] + i + w)));                                                               \
            }                                                                                                                    \
            for (j = 0; j < writes; j++) {                                                                                       \
                STORE((void *)(to[j] + i), a);                                                                                   \
                STORE((void *)(to[j] + i + w), b);                                                                               \
            }                                                                                                                    \
        }                                                                                                                        \
        sum.v = ADD(a, b);                                                                                                       \
        for (k = 0; k < w / 8; k++) all += sum.u[k];                                                                             \
        return all + walk_plain(i, last, reads, from, writes, to);                                                               \
    }

#define WALKS(NAME, TARGET, VECTOR, LOAD, ADD, ZERO, STORE, STREAM)                                                              \
    WALK(NAME, TARGET, VECTOR, LOAD, ADD, ZERO, STORE)                                                                           \
    WALK(NAME##_streaming, TARGET, VECTOR, LOAD, ADD, ZERO, STREAM)

WALKS(sse2, "sse2", __m128i, _mm_loadu_si128, _mm_add_epi64, _mm_setzero_si128(), _mm_store_si128, _mm_stream_si128)
WALKS(avx2, "avx2", __m256i, _mm256_loadu_si256, _mm256_add_epi64, _mm256_setzero_si256(), _mm256_store_si256, _mm256_stream_si256)
WALKS(avx512, "avx512f", __m512i, _mm512_loadu_si512, _mm512_add_epi64, _mm512_setzero_si512(), _mm512_store_si512, _mm512_stream_si512)

static walk chosen(int streaming) {
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx512f")) return streaming ? walk_avx512_streaming : walk_avx512;
    if (__builtin_cpu_supports("avx2")) return streaming ? walk_avx2_streaming : walk_avx2;
    return streaming ? walk_sse2_streaming : walk_sse2;
}

static void settle(void) { _mm_sfence(); }
#else
static walk chosen(int streaming) {
    (void)streaming;
    return walk_plain;
}

static void settle(void) {}
#endif

/* Where part `number` of `parts` begins, on a cache line. */
static ptrdiff_t start(ptrdiff_t bytes, ptrdiff_t number, ptrdiff_t parts) {
    return number == parts ? bytes : (ptrdiff_t)((double)bytes * (double)number / (double)parts) / 64 * 64;
}

/*
 * Arrays come in `groups` of one size, `bytes[g]`, of which `reads[g]` are read and `writes[g]` written; `from` and `to` hold the groups one
 * after the other. Those of `to` begin on cache lines. Returns the sum of all words, so that no read can be left out.
 */
uint64_t symbn_bench_floor(
    int streaming, int groups, const ptrdiff_t *bytes, const int *reads, const int *writes, const char *const *from, char *const *to) {
    const walk pass = chosen(streaming);
    const ptrdiff_t parts = 64; /* of each group; threads take them in turn */
    uint64_t sum = 0;
    double total = 0;
    int g;
    for (g = 0; g < groups; g++) total += (double)bytes[g] * (reads[g] + writes[g]);
#ifdef _OPENMP
#pragma omp parallel reduction(+ : sum) if (total > ALONE)
#endif
    {
        int k, read = 0, written = 0;
        for (k = 0; k < groups; k++) {
            ptrdiff_t p;
#ifdef _OPENMP
#pragma omp for schedule(static) nowait
#endif
            for (p = 0; p < parts; p++)
                sum += pass(start(bytes[k], p, parts), start(bytes[k], p + 1, parts), reads[k], from + read, writes[k], to + written);
            read += reads[k];
            written += writes[k];
        }
        settle(); /* each thread's own stores */
    }
    return sum;
}
