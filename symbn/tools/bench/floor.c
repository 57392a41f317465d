/*
 * The least time that a pass over arrays can take: each array of `from` is read once, each of `to` is written once, in blocks that
 * go through all of them together. Instructions are the widest that the processor has; `streaming` stores go around the caches.
 */
#include <stddef.h>
#include <stdint.h>

typedef uint64_t (*reader)(const char *from, ptrdiff_t bytes);
typedef void (*writer)(char *to, ptrdiff_t bytes, uint64_t value);

/* Below this many bytes in all, to wake other threads takes longer than the work. */
#define ALONE (256 * 1024)

static uint64_t read_plain(const char *from, ptrdiff_t bytes) {
    const uint64_t *p = (const uint64_t *)from;
    uint64_t a = 0, b = 0, c = 0, d = 0;
    ptrdiff_t i, n = bytes / 8;
    for (i = 0; i + 4 <= n; i += 4) {
        a += p[i];
        b += p[i + 1];
        c += p[i + 2];
        d += p[i + 3];
    }
    for (; i < n; i++) a += p[i];
    return a + b + c + d;
}

static void write_plain(char *to, ptrdiff_t bytes, uint64_t value) {
    uint64_t *p = (uint64_t *)to;
    ptrdiff_t i, n = bytes / 8;
    for (i = 0; i < n; i++) p[i] = value;
}

#if defined(__x86_64__) && defined(__GNUC__)
#include <immintrin.h>

#define WIDE(NAME, TARGET, VECTOR, LOAD, ADD, ZERO, SET, STORE, STREAM)                                                    \
    __attribute__((target(TARGET))) static uint64_t read_##NAME(const char *from, ptrdiff_t bytes) {                       \
        const ptrdiff_t w = (ptrdiff_t)sizeof(VECTOR);                                                                     \
        VECTOR a = ZERO, b = ZERO, c = ZERO, d = ZERO;                                                                     \
        union {                                                                                                            \
            VECTOR v;                                                                                                      \
            uint64_t u[sizeof(VECTOR) / 8];                                                                                \
        } sum;                                                                                                             \
        ptrdiff_t i, k;                                                                                                    \
        uint64_t all = 0;                                                                                                  \
        for (i = 0; i + 4 * w <= bytes; i += 4 * w) {                                                                      \
            a = ADD(a, LOAD((const void *)(from + i)));                                                                    \
            b = ADD(b, LOAD((const void *)(from + i + w)));                                                                \
            c = ADD(c, LOAD((const void *)(from + i + 2 * w)));                                                            \
            d = ADD(d, LOAD((const void *)(from + i + 3 * w)));                                                            \
        }                                                                                                                  \
        sum.v = ADD(ADD(a, b), ADD(c, d));                                                                                 \
        for (k = 0; k < w / 8; k++) all += sum.u[k];                                                                       \
        return all + read_plain(from + i, bytes - i);                                                                      \
    }                                                                                                                      \
    __attribute__((target(TARGET))) static void write_##NAME(char *to, ptrdiff_t bytes, uint64_t value) {                  \
        const ptrdiff_t w = (ptrdiff_t)sizeof(VECTOR);                                                                     \
        VECTOR v = SET((long long)value);                                                                                  \
        ptrdiff_t i;                                                                                                       \
        for (i = 0; i + w <= bytes; i += w) STORE((void *)(to + i), v);                                                    \
        write_plain(to + i, bytes - i, value);                                                                             \
    }                                                                                                                      \
    __attribute__((target(TARGET))) static void stream_##NAME(char *to, ptrdiff_t bytes, uint64_t value) {                 \
        const ptrdiff_t w = (ptrdiff_t)sizeof(VECTOR);                                                                     \
        VECTOR v = SET((long long)value);                                                                                  \
        ptrdiff_t i;                                                                                                       \
        for (i = 0; i + w <= bytes; i += w) STREAM((void *)(to + i), v);                                                   \
        write_plain(to + i, bytes - i, value);                                                                             \
    }

WIDE(sse2, "sse2", __m128i, _mm_loadu_si128, _mm_add_epi64, _mm_setzero_si128(), _mm_set1_epi64x, _mm_store_si128, _mm_stream_si128)
WIDE(avx2, "avx2", __m256i, _mm256_loadu_si256, _mm256_add_epi64, _mm256_setzero_si256(), _mm256_set1_epi64x, _mm256_store_si256,
     _mm256_stream_si256)
WIDE(avx512, "avx512f", __m512i, _mm512_loadu_si512, _mm512_add_epi64, _mm512_setzero_si512(), _mm512_set1_epi64, _mm512_store_si512,
     _mm512_stream_si512)

static void choose(int streaming, reader *read, writer *write) {
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx512f")) {
        *read = read_avx512;
        *write = streaming ? stream_avx512 : write_avx512;
    } else if (__builtin_cpu_supports("avx2")) {
        *read = read_avx2;
        *write = streaming ? stream_avx2 : write_avx2;
    } else {
        *read = read_sse2;
        *write = streaming ? stream_sse2 : write_sse2;
    }
}

static void settle(void) { _mm_sfence(); }
#else
static void choose(int streaming, reader *read, writer *write) {
    (void)streaming;
    *read = read_plain;
    *write = write_plain;
}

static void settle(void) {}
#endif

/* Where block `number` of `blocks` begins, on a cache line. */
static ptrdiff_t start(ptrdiff_t bytes, ptrdiff_t number, ptrdiff_t blocks) {
    return number == blocks ? bytes : (ptrdiff_t)((double)bytes * (double)number / (double)blocks) / 64 * 64;
}

/* The arrays of `to` begin on cache lines. Returns the sum of all whole words, so that no read can be left out. */
uint64_t symbn_bench_floor(
    ptrdiff_t blocks, int streaming, int reads, const char *const *from, const ptrdiff_t *from_bytes, int writes, char *const *to,
    const ptrdiff_t *to_bytes) {
    uint64_t sum = 0;
    double total = 0;
    reader read;
    writer write;
    ptrdiff_t b;
    int k;
    choose(streaming, &read, &write);
    for (k = 0; k < reads; k++) total += (double)from_bytes[k];
    for (k = 0; k < writes; k++) total += (double)to_bytes[k];
#ifdef _OPENMP
#pragma omp parallel for schedule(static) reduction(+ : sum) if (total > ALONE)
#endif
    for (b = 0; b < blocks; b++) {
        int j;
        for (j = 0; j < reads; j++) {
            ptrdiff_t first = start(from_bytes[j], b, blocks);
            sum += read(from[j] + first, start(from_bytes[j], b + 1, blocks) - first);
        }
        for (j = 0; j < writes; j++) {
            ptrdiff_t first = start(to_bytes[j], b, blocks);
            write(to[j] + first, start(to_bytes[j], b + 1, blocks) - first, sum);
        }
        if (streaming) settle();
    }
    return sum;
}
