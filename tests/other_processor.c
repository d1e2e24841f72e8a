/* Array functions of a processor with AVX-512, on any processor; for `make portable`.
 *
 * There numpy computes exp, log, power ... of arrays with vector code whose last bit may differ from that of the C
 * library, which computes them of a Python number.  Loaded before the C library (LD_PRELOAD), these functions change the
 * last bit of about one result in four that numpy asks for, as a function of the arguments and of the place in numpy
 * that asks: arrays and numbers disagree, and the same call twice agrees.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <math.h>
#include <stdint.h>
#include <string.h>

static uint64_t bits(double x) {
    uint64_t b;
    memcpy(&b, &x, sizeof b);
    return b;
}

/* 1 + the offset in numpy of an address, or 0 if it is not in numpy. */
static uint64_t place_of(void *caller) {
    static __thread struct { void *caller; uint64_t place; } known[1024];
    uint64_t slot = (uint64_t)caller * 0x9E3779B97F4A7C15u >> 54;
    if (known[slot].caller != caller) {
        Dl_info from;
        int numpy = dladdr(caller, &from) && strstr(from.dli_fname, "_multiarray_umath");
        known[slot].place = numpy ? 1 + (uint64_t)((char *)caller - (char *)from.dli_fbase) : 0;
        known[slot].caller = caller;
    }
    return known[slot].place;
}

static double moved(double exact, double x, double y, void *caller) {
    uint64_t place = place_of(caller);
    if (!place || !isfinite(exact) || exact == rint(exact)) return exact;
    uint64_t mix = (bits(x) ^ bits(y) * 31 ^ place) * 0x9E3779B97F4A7C15u >> 60;
    return mix >= 4 ? exact : nextafter(exact, mix & 1 ? INFINITY : -INFINITY);
}

#define OF_ONE(name)                                                                   \
    double name(double x) {                                                            \
        static double (*real)(double);                                                 \
        if (!real) real = (double (*)(double))dlsym(RTLD_NEXT, #name);                 \
        return moved(real(x), x, 0, __builtin_return_address(0));                      \
    }

OF_ONE(exp) OF_ONE(exp2) OF_ONE(expm1) OF_ONE(log) OF_ONE(log2) OF_ONE(log10) OF_ONE(log1p) OF_ONE(cbrt)
OF_ONE(sin) OF_ONE(cos) OF_ONE(tan) OF_ONE(asin) OF_ONE(acos) OF_ONE(atan)
OF_ONE(sinh) OF_ONE(cosh) OF_ONE(tanh) OF_ONE(asinh) OF_ONE(acosh) OF_ONE(atanh)

double pow(double x, double y) {
    static double (*real)(double, double);
    if (!real) real = (double (*)(double, double))dlsym(RTLD_NEXT, "pow");
    return moved(real(x, y), x, y, __builtin_return_address(0));
}
