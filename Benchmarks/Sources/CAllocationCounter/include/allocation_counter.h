#ifndef ALLOCATION_COUNTER_H
#define ALLOCATION_COUNTER_H

#include <stdbool.h>
#include <stdint.h>

// Whether allocations can be counted on this system.
bool allocation_counter_works(void);

// How many times this process has asked for memory since it began: malloc, calloc, realloc and their aligned kin.
uint64_t allocation_count(void);

// How many bytes of the heap are in use now, with what the allocator adds to each block; 0 where that can't be told.
uint64_t allocated_bytes(void);

#endif
