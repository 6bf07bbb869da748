#ifndef CGETOPT_SHIM_H
#define CGETOPT_SHIM_H

#include <getopt.h>

// getopt_long keeps its state in global variables, which Swift rightly distrusts. Arguments are read once, by one thread.

static inline void cgetopt_begin(void) {
    opterr = 0;
#ifdef __GLIBC__
    optind = 0; // Anything but 1 makes glibc begin afresh.
#else
    optind = 1;
#ifdef __APPLE__
    optreset = 1;
#endif
#endif
}

static inline int cgetopt_index(void) {
    return optind;
}

static inline const char *cgetopt_argument(void) {
    return optarg;
}

#endif
