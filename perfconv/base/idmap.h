/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Interning: equal keys get equal ids, ids are 0, 1, 2 ... in order of first
 * use, so that output never depends on hash order.
 */
#ifndef PERFCONV_BASE_IDMAP_H
#define PERFCONV_BASE_IDMAP_H

#include <stddef.h>
#include <stdint.h>

#define IDMAP_NONE UINT32_MAX

struct idmap_key {
	uint64_t a, b;
};

/* A set of (a, b) pairs.  Zero-initialised is empty. */
struct idmap {
	struct idmap_key *keys; /* by id; borrowed by readers until the next intern */
	size_t n, cap;
	uint32_t *slots;
	size_t nslots;
};

/** idmap__intern - the id of (@a, @b), new if it was not there. */
uint32_t idmap__intern(struct idmap *m, uint64_t a, uint64_t b);

/** idmap__find - the id of (@a, @b), or IDMAP_NONE. */
uint32_t idmap__find(const struct idmap *m, uint64_t a, uint64_t b);

void idmap__release(struct idmap *m);

/* A set of strings.  Zero-initialised is empty. */
struct strtab {
	char **strings; /* by id */
	size_t n, cap;
	uint32_t *slots;
	size_t nslots;
};

/** strtab__intern - the id of @s, copied if it was not there. */
uint32_t strtab__intern(struct strtab *t, const char *s);

/** strtab__find - the id of @s, or IDMAP_NONE. */
uint32_t strtab__find(const struct strtab *t, const char *s);

/** strtab__get - the string of @id, borrowed until release. */
const char *strtab__get(const struct strtab *t, uint32_t id);

void strtab__release(struct strtab *t);

#endif
