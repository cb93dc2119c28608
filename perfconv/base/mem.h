/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Memory that is there or ends the program: perfconv is a batch tool, and half
 * a conversion helps nobody.  Every size that comes from a file is checked
 * against the bytes that are there before it reaches these functions.
 */
#ifndef PERFCONV_BASE_MEM_H
#define PERFCONV_BASE_MEM_H

#include <stddef.h>

/** mem__out - end the program, saying that memory is out. */
void mem__out(void) __attribute__((noreturn));

/** mem__alloc - zeroed memory for @n objects of @size bytes; never NULL; free() it. */
void *mem__alloc(size_t n, size_t size) __attribute__((returns_nonnull));

/** mem__strdup - a copy of @s; never NULL; free() it. */
char *mem__strdup(const char *s) __attribute__((returns_nonnull));

/** mem__format - a formatted string; never NULL; free() it. */
char *mem__format(const char *fmt, ...) __attribute__((format(printf, 1, 2), returns_nonnull));

/** mem__grow - room for at least @need objects of @size bytes, *@cap updated, doubling. */
void *mem__grow(void *old, size_t *cap, size_t need, size_t size) __attribute__((returns_nonnull));

/*
 * A growable array: VEC(int) v = {0}; vec__push(&v, 3); v.data[0]; v.n.
 * Pointers into it last until the next push.
 */
#define VEC(type)                                                                                  \
	struct {                                                                                   \
		type *data;                                                                        \
		size_t n, cap;                                                                     \
	}

#define vec__reserve(v, need)                                                                      \
	((need) <= (v)->cap ? (void)0                                                              \
			    : (void)((v)->data = mem__grow((v)->data, &(v)->cap, (need),           \
							   sizeof(*(v)->data))))

#define vec__push(v, item) (vec__reserve(v, (v)->n + 1), (void)((v)->data[(v)->n++] = (item)))

/* vec__add - a new zeroed object at the end; yields its address. */
#define vec__add(v)                                                                                \
	(vec__reserve(v, (v)->n + 1), memset(&(v)->data[(v)->n], 0, sizeof(*(v)->data)),           \
	 &(v)->data[(v)->n++])

#define vec__release(v) (free((v)->data), (v)->data = NULL, (v)->n = (v)->cap = 0)

/* vec__upto - how many objects of a vector, sorted by @member, have it at or below @value. */
#define vec__upto(v, member, value)                                                                \
	({                                                                                         \
		size_t low_ = 0, high_ = (v)->n;                                                   \
                                                                                                   \
		while (low_ < high_) {                                                             \
			size_t middle_ = low_ + (high_ - low_) / 2;                                \
                                                                                                   \
			if ((v)->data[middle_].member <= (value))                                  \
				low_ = middle_ + 1;                                                \
			else                                                                       \
				high_ = middle_;                                                   \
		}                                                                                  \
		low_;                                                                              \
	})

#endif
