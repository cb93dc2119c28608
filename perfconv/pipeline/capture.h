/* SPDX-License-Identifier: GPL-2.0 */
/*
 * capture - all stages over one capture, in order; owns their memory.
 *
 *     perfdata -> machine + unwind -> store      one pass over the records
 *     symbol + python -> resolve -> profile      over what was stored
 */
#ifndef PERFCONV_PIPELINE_CAPTURE_H
#define PERFCONV_PIPELINE_CAPTURE_H

#include <stdint.h>

#include "perfconv/base/errbuf.h"
#include "perfconv/machine/images.h"
#include "perfconv/machine/machine.h"
#include "perfconv/perfdata/perfdata.h"
#include "perfconv/profile/profile.h"
#include "perfconv/resolve/resolve.h"
#include "perfconv/store/store.h"

/* Samples of one thread and event, doubled ones included. */
struct capture_count {
	uint64_t samples;
	uint64_t last_ns; /* time of the latest */
	uint64_t endings[STACK_ENDINGS];
};

struct capture {
	struct perfdata *data;
	struct machine machine;
	struct images images;
	struct store store;
	struct symbols *symbols;
	struct python *python;
	struct resolver *resolver;
	struct profile *profile;
	bool unwindable;	 /* the architecture's stack copies can be unwound */
	uint64_t frames_capped;	 /* stacks that reached UNWIND_MAX_FRAMES */
	uint64_t doubled;	 /* samples dropped: same event, thread and time as one before */
	struct idmap count_keys; /* (thread, event) */
	VEC(struct capture_count) counts;
	uint64_t first_ns, last_ns; /* of all records with a time */
};

struct capture_options {
	const char *path;     /* the perf.data; "-" is standard input */
	const char *event;    /* name of the event to show; NULL: one that measures time */
	const char *side_dir; /* NULL: beside the capture, then where it was recorded */
	enum frames_mode frames;
};

/**
 * capture__read - read, unwind, name and profile a capture
 *
 * Return: 0 with *@out set, freed by capture__free(); -errno with a message.
 */
int capture__read(struct capture **out, const struct capture_options *options, struct errbuf *err);
void capture__free(struct capture *c);

#endif
