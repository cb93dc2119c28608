/* SPDX-License-Identifier: GPL-2.0 */
/*
 * doctor - what may be recorded here, of which Python, and how.
 *
 *     host, answers, target  --doctor__judge-->  findings, and whether and how
 *
 * The facts are gathered first and judged afterwards, so that a test can judge
 * machines that it does not have.
 */
#ifndef PERFCONV_DOCTOR_DOCTOR_H
#define PERFCONV_DOCTOR_DOCTOR_H

#include <stdbool.h>

#include "perfconv/doctor/choose.h"
#include "perfconv/doctor/finding.h"
#include "perfconv/doctor/host.h"
#include "perfconv/doctor/recording.h"
#include "perfconv/doctor/target.h"

/* What the kernel said when it was asked for each: 0 or -errno. */
struct answers {
	int cycles;	  /* in user space */
	int clock;	  /* cpu-clock in user space */
	int kernel;	  /* cpu-clock also in the kernel */
	int switches;	  /* the event context-switches */
	int sched_switch; /* the tracepoint */
	int dump;	  /* the largest stack copy, with registers */
	int whole;	  /* all that docs/recording.md records */
	bool too_large;	  /* it was only the buffers that were refused */
	int target;	  /* cpu-clock of the process */
};

struct doctor {
	struct host host;
	struct answers answers;
	struct target *target; /* NULL: none was named */
	struct findings findings;
	struct recording recording; /* the fullest one that works */
	bool possible;
	struct command command; /* that makes it; empty if none works */
};

/** doctor__ask - opens the events.  @pid: also of this process, unless 0. */
void doctor__ask(struct answers *a, const char *machine, pid_t pid);

/** doctor__best - the recording that is tried first. */
struct recording doctor__best(const struct doctor *d);

/** doctor__choose - sets recording and possible; may run perf to find out. */
void doctor__choose(struct doctor *d);

/** doctor__judge - fills findings and command from the rest. */
void doctor__judge(struct doctor *d);

/** doctor__judge_target - the part of it that is about the Python. */
void doctor__judge_target(struct doctor *d);

/** doctor__release - all but the target. */
void doctor__release(struct doctor *d);

#endif
