/* SPDX-License-Identifier: GPL-2.0 */
/*
 * switching - picks out of the pass what tells of threads leaving and getting a
 * CPU, and keeps it in the store's switches.
 *
 *     SWITCH, SWITCH_CPU_WIDE     out and in, exact
 *     sched:sched_switch          out, with the kernel's chain and the registers; of a
 *                                 CPU-wide event also the next thread's in
 *     sched:sched_wakeup, waking  what was waited for has come
 *     context-switches samples    the stack of some of the switches
 *     LOST, LOST_SAMPLES          what was known is not known any more
 */
#ifndef PERFCONV_PIPELINE_SWITCHING_H
#define PERFCONV_PIPELINE_SWITCHING_H

#include <stdbool.h>
#include <stdint.h>

#include "perfconv/machine/machine.h"
#include "perfconv/perfdata/perfdata.h"
#include "perfconv/store/store.h"
#include "perfconv/store/switches.h"
#include "perfconv/unwind/regs.h"

struct switching {
	const struct perfdata *data;
	struct machine *machine;
	struct store *store;
	struct switches *switches;
	const struct regs_arch *arch; /* NULL: not known */
	VEC(uint8_t) roles;	      /* by event, filled when first asked for */
	VEC(uint64_t) cpu_last_ns;    /* time of the latest record of each CPU */
	VEC(uint32_t) user, kernel;   /* scratch: locations, leaf first */
	uint64_t last_ns;	      /* of any CPU */
};

/* What a sample turned out to be. */
enum switching_use {
	SWITCHING_KEEP, /* the sample counts like any other */
	SWITCHING_TAKEN /* all of it is in the switches now */
};

/** switching__init - @arch as uname -m says; all else is borrowed. */
void switching__init(struct switching *s, const struct perfdata *data, const char *arch,
		     struct machine *machine, struct store *store, struct switches *switches);
void switching__release(struct switching *s);

/** switching__record - take in any record but a sample. */
void switching__record(struct switching *s, const struct record *rec);

/** switching__sample - take in a sample of @thread, before it goes to the store. */
enum switching_use switching__sample(struct switching *s, const struct record *rec,
				     uint32_t thread);

/** switching__stored - @sample is the store's index of the sample taken in last. */
void switching__stored(struct switching *s, const struct record *rec, uint32_t sample);

/** switching__is_exact - whether the capture's events tell of every switch. */
bool switching__is_exact(const struct perfdata *data);

/** switching__has_dumps - whether any event copies stacks: callchains then mean little. */
bool switching__has_dumps(const struct perfdata *data);

#endif
