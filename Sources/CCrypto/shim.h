#ifndef CCRYPTO_SHIM_H
#define CCRYPTO_SHIM_H

// Digests and message authentication codes, and nothing else of it.
#include <openssl/evp.h>
#include <openssl/hmac.h>

#endif
