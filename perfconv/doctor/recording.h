/* SPDX-License-Identifier: GPL-2.0 */
/*
 * recording - a way to record, as events to open and as the command of perf.
 * docs/recording.md says what each part is for; scripts/perf-pyrecord uses the same.
 */
#ifndef PERFCONV_DOCTOR_RECORDING_H
#define PERFCONV_DOCTOR_RECORDING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "perfconv/base/mem.h"

#define RECORDING_EVENTS 4u
#define RECORDING_DUMP_BYTES 65528u /* the largest stack copy that the kernel makes */
#define RECORDING_STEPS 4u

enum event_kind { EVENT_CYCLES, EVENT_CPU_CLOCK, EVENT_SWITCHES, EVENT_SCHED_SWITCH };

struct recorded_event {
	enum event_kind kind;
	const char *name;    /* as perf shall call it; NULL: its own */
	uint32_t hertz;	     /* 0: each time that it happens */
	uint32_t dump_bytes; /* of the stack; 0: a chain of frame pointers */
};

struct recording {
	const char *machine; /* as uname gives it, borrowed */
	bool cycles;	     /* they stand for CPU time, else cpu-clock */
	bool frame_pointers; /* no stack copies */
	bool switches;	     /* sched:sched_switch */
	bool kernel;	     /* else user space only */
	bool small_buffer;
	bool sudo; /* perf is run through it */
};

struct command {
	VEC(char *) words;
};

/** recording__events - what it opens.  Return: how many of @out are set. */
size_t recording__events(const struct recording *r, struct recorded_event out[RECORDING_EVENTS]);

/** recording__registers - bits of the registers that go with a stack copy; 0: not known. */
uint64_t recording__registers(const struct recording *r);

/** recording__buffer_bytes - size of perf's buffer per CPU. */
size_t recording__buffer_bytes(const struct recording *r);

/** recording__command - "perf record ..." without target and output. */
void recording__command(const struct recording *r, struct command *out);

void command__add(struct command *c, const char *word);
void command__release(struct command *c);

/**
 * recording__ladder - ways to try in this order, each asking for less than the one before
 * @privileged: perf's buffers have no limit
 * Return: how many of @out are set.
 */
size_t recording__ladder(const struct recording *best, bool privileged,
			 struct recording out[RECORDING_STEPS]);

#endif
