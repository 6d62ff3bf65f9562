// The limit of 128-bit SIMD, on one thread: a packed loop over tiles of 5 x 8 and 6 x 8, compiled for the machine. Operands
// are packed before the clock starts, which berth's are not.
//
//     gcc -O3 -mfma -ffp-contract=fast native_gemm.c -lm && ./a.out NUMBER,M,N,K ...
//
// The first turn of a product tries both tiles; the faster one runs in all turns. Speaks as a contender (see harness.ts).

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

typedef float v4 __attribute__((vector_size(16), aligned(4)));

enum { NR = 8, ROW_BLOCK = 120, DEPTH_BLOCK = 256, CHECKED = 16, MOST_CASES = 32 };

static const double TURN_MS = 50, WARM_UP_MS = 100;
enum { TRIALS = 4 };

typedef struct Case Case;
struct Case { int number; long m, n, k; float *a5, *a6, *b, *c; void (*multiply)(const Case *); };

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1e3 + t.tv_nsec / 1e6;
}

// C[MR, 8] (+)= A B over a panel [k][MR] and a strip [k][8].
#define TILE(MR)                                                                                          \
  static void tile##MR(long k, const float *a, const float *b, float *c, long ldc, int accumulate) {      \
    v4 lo[MR] = {{0}}, hi[MR] = {{0}};                                                                    \
    for (long x = 0; x < k; x++, a += MR, b += NR) {                                                      \
      const v4 p = *(const v4 *)b, q = *(const v4 *)(b + 4);                                              \
      _Pragma("GCC unroll 8") for (int r = 0; r < MR; r++) {                                              \
        const v4 s = {a[r], a[r], a[r], a[r]};                                                            \
        lo[r] += s * p;                                                                                   \
        hi[r] += s * q;                                                                                   \
      }                                                                                                   \
    }                                                                                                     \
    _Pragma("GCC unroll 8") for (int r = 0; r < MR; r++, c += ldc) {                                      \
      *(v4 *)c = accumulate ? *(v4 *)c + lo[r] : lo[r];                                                   \
      *(v4 *)(c + 4) = accumulate ? *(v4 *)(c + 4) + hi[r] : hi[r];                                       \
    }                                                                                                     \
  }                                                                                                       \
  static void multiply##MR(const Case *p) {                                                               \
    const long m = (p->m + MR - 1) / MR * MR, rows = ROW_BLOCK / MR * MR;                                  \
    for (long k0 = 0; k0 < p->k; k0 += DEPTH_BLOCK) {                                                     \
      const long kk = p->k - k0 < DEPTH_BLOCK ? p->k - k0 : DEPTH_BLOCK;                                  \
      for (long m0 = 0; m0 < m; m0 += rows) {                                                             \
        const long end = m0 + rows < m ? m0 + rows : m;                                                   \
        for (long j = 0; j < p->n; j += NR) {                                                             \
          for (long i = m0; i < end; i += MR) {                                                           \
            tile##MR(kk, p->a##MR + i * kk + k0 * m, p->b + j * kk + k0 * p->n, p->c + i * p->n + j, p->n, k0 > 0); \
          }                                                                                               \
        }                                                                                                 \
      }                                                                                                   \
    }                                                                                                     \
  }
TILE(5)
TILE(6)

static float value_a(long i) { return (float)((i * 7919 % 1000) / 1000. - .5); }
static float value_b(long i) { return (float)((i * 104729 % 1009) / 1009. - .5); }

static float *floats(long count) {
  float *p = aligned_alloc(64, (count * 4 + 63) / 64 * 64);
  if (!p) exit(1);
  return memset(p, 0, count * 4);
}

// Panels of mr rows, one block of k after another.
static float *pack_a(const Case *p, long mr) {
  const long m = (p->m + mr - 1) / mr * mr;
  float *out = floats(m * p->k), *at = out;
  for (long k0 = 0; k0 < p->k; k0 += DEPTH_BLOCK)
    for (long i = 0; i < m; i += mr)
      for (long x = k0; x < p->k && x < k0 + DEPTH_BLOCK; x++)
        for (long r = 0; r < mr; r++) *at++ = i + r < p->m ? value_a((i + r) * p->k + x) : 0;
  return out;
}

static float *pack_b(const Case *p) {
  float *out = floats(p->n * p->k), *at = out;
  for (long k0 = 0; k0 < p->k; k0 += DEPTH_BLOCK)
    for (long j = 0; j < p->n; j += NR)
      for (long x = k0; x < p->k && x < k0 + DEPTH_BLOCK; x++)
        for (long r = 0; r < NR; r++) *at++ = value_b(x * p->n + j + r);
  return out;
}

static double repeat(const Case *p, double ms) {
  const double start = now();
  int runs = 0;
  do p->multiply(p), runs++;
  while (now() - start < ms);
  return (now() - start) / runs;
}

static double time_of(const Case *p) {
  repeat(p, WARM_UP_MS);
  return repeat(p, TURN_MS);
}

static void choose(Case *p) {
  double five = INFINITY, six = INFINITY;
  for (int i = 0; i < TRIALS; i++) {
    p->multiply = multiply5;
    five = fmin(five, time_of(p));
    p->multiply = multiply6;
    six = fmin(six, time_of(p));
  }
  p->multiply = five < six ? multiply5 : multiply6;
}

int main(int argc, char **argv) {
  static Case cases[MOST_CASES];
  const int count = argc - 1 < MOST_CASES ? argc - 1 : MOST_CASES;
  printf("{\"ready\":true,\"check\":[");
  for (int i = 0; i < count; i++) {
    Case *p = &cases[i];
    if (sscanf(argv[i + 1], "%d,%ld,%ld,%ld", &p->number, &p->m, &p->n, &p->k) != 4 || p->n % NR) return 2;
    p->a5 = pack_a(p, 5);
    p->a6 = pack_a(p, 6);
    p->b = pack_b(p);
    p->c = floats((p->m + 8) * p->n);
    for (int t = 0; t < CHECKED; t++) { // half of the elements from each tile
      if (t == 0) multiply5(p);
      if (t == CHECKED / 2) multiply6(p);
      const int last = t == CHECKED - 1;
      const long row = last ? p->m - 1 : t * 389 % p->m, column = last ? p->n - 1 : t * 677 % p->n;
      printf("%s%.9g", i + t ? "," : "", p->c[row * p->n + column] / sqrt(p->k));
    }
  }
  printf("]}\n");
  fflush(stdout);
  char line[64];
  while (fgets(line, sizeof line, stdin)) {
    const int number = atoi(line + 4);
    Case *p = cases;
    while (p->number != number) p++;
    if (!p->multiply) choose(p);
    printf("{\"ms\":%.6f}\n", time_of(p));
    fflush(stdout);
  }
}
