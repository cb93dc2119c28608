/* SPDX-License-Identifier: GPL-2.0 */
/*
 * report - what the analysis of a capture found: findings first, then the tables
 * they were found in.
 *
 * A report refers to nothing but itself, so that one read from a profile (see
 * output/report_read.h) is as good as one made from a capture.  Its strings belong
 * to its string table; none is NULL.  Times are nanoseconds, moments are relative
 * to the begin of the capture.
 *
 * Invariant: findings are sorted, the most severe first, and of equal severity by
 * the order of the rule table, then by how much there is of it.
 */
#ifndef PERFCONV_ANALYZE_REPORT_H
#define PERFCONV_ANALYZE_REPORT_H

#include <stdbool.h>
#include <stdint.h>

#include "perfconv/base/idmap.h"
#include "perfconv/base/mem.h"

#define REPORT_SCHEMA 1u	  /* of its JSON; docs/report.schema.json */
#define REPORT_NO_THREAD SIZE_MAX /* a finding of the whole process or machine */

enum severity {
	SEVERITY_INFO,
	SEVERITY_LOW,
	SEVERITY_MEDIUM,
	SEVERITY_HIGH,
	SEVERITIES,
};

/** severity__name - "high" and so on.  Static storage. */
const char *severity__name(enum severity severity);

/* A function, or what else a frame shows. */
struct report_frame {
	const char *name;    /* "" if there is none */
	const char *file;    /* source, or the object of a native function; "" if not known */
	uint32_t line;	     /* the line that runs; 0: not known */
	uint32_t first_line; /* of the function; 0: not known */
	bool python;
};

/* A figure of a finding: {"rate", 840, "/s"}. */
struct report_number {
	const char *name, *unit;
	double value;
};

struct finding {
	const char *rule;  /* id, as in docs/rules.md */
	const char *title; /* of the rule */
	enum severity severity;
	size_t thread;			/* index in report.threads, or REPORT_NO_THREAD */
	const char *headline;		/* the figures in a few words: "61.3 % of a core" */
	const char *text;		/* what happens, one or two sentences */
	const char *advice;		/* what to do */
	struct report_frame function;	/* that is responsible; its name is "" if none is */
	VEC(struct report_frame) stack; /* root first, the evidence's own leaf last */
	VEC(struct report_number) numbers;
	bool has_worst;
	uint64_t worst_begin_ns, worst_ns; /* the worst instance: when, and how long */
	const char *profile; /* name of the profile to open in speedscope; "" if none */
	const char *search;  /* what to search for there; "" if nothing */
	double amount;	     /* for sorting: nanoseconds, or what the rule counts */
};

/* How a thread compares with what is asked of its group in this scenario. */
enum verdict {
	VERDICT_NONE, /* nothing is asked of it, or too little is known */
	VERDICT_OK,
	VERDICT_OVER,
};

struct report_time {
	const char *name; /* of the reason, without brackets: "sleep" */
	uint64_t ns;
};

struct report_thread {
	const char *name;  /* of its profile */
	const char *group; /* as the patterns say: "mavlink worker" */
	uint32_t pid, tid;
	bool has_waits;	     /* switches were recorded: the times off a CPU are known */
	uint64_t present_ns; /* it was there */
	uint64_t on_cpu_ns;
	uint64_t asleep_ns; /* waits for something to come: not for the GIL, a CPU, a disk */
	uint64_t unknown_ns;
	uint64_t voluntary, involuntary; /* switches in the capture */
	VEC(struct report_time) reasons; /* of all time off a CPU, most first */
	enum verdict verdict;
	const char *target; /* what the verdict compares with: "CPU < 5 %, asleep > 95 %" */
};

struct report_task {
	const char *name, *coroutine;
	size_t thread;	/* index in report.threads, or REPORT_NO_THREAD */
	bool exact;	/* from the side file's steps; else from samples: steps are not known */
	uint64_t tasks; /* how many had this name */
	uint64_t steps, on_cpu_ns, in_steps_ns;
	uint64_t longest_ns, longest_begin_ns;
};

/* A function that waits again and again. */
struct report_periodic {
	struct report_frame function;
	size_t thread;
	const char *reason;
	uint64_t waits;
	double rate_hz;
	uint64_t period_ns,
		jitter_ns; /* median from wait to wait; half of all lie within +- jitter */
	uint64_t wait_ns;  /* median */
	double regular;	   /* share of waits near the median's length: a timer's are */
};

/* Time on a CPU by what is done with messages. */
struct report_share {
	const char *kind; /* "json", "mavlink", "copying" ... */
	size_t thread;
	uint64_t ns;
	struct report_frame function; /* that asks for most of it */
};

/* Native code by the Python function that called it. */
struct report_native {
	struct report_frame caller;
	const char *library; /* "hiredis", "kernel", "garbage collection" ... */
	size_t thread;
	uint64_t ns;
};

struct report_phase {
	const char *name; /* "start-up", "imports", "shutdown" */
	uint64_t begin_ns, ns;
	struct report_frame function; /* that takes most of it */
	uint64_t function_ns;
};

/* What the processes used, in all, between the look before and this one. */
struct report_usage {
	uint64_t time_ns;      /* from the begin of the capture */
	double cpu_percent;    /* of one core */
	uint64_t memory_bytes; /* resident, at that moment */
};

/* A rule that could not look: of what it is about, nothing is known. */
struct report_unlooked {
	const char *rule, *because; /* in a few words, with what it needs */
};

struct report_quality {
	uint64_t samples, lost;
	bool has_waits, has_lines, has_steps;
	bool has_dumps; /* stacks were copied; else they are perf's, and nobody knows which are cut */
	double complete, stitched, truncated; /* shares of the stacks */
	double waits_with_stack;	      /* share of the time off a CPU */
	double lines;			      /* share of Python frames with a line */
};

/* All about one capture, or one profile. */
struct report {
	struct strtab strings;
	const char *title, *scenario; /* scenario: "" if not known */
	uint64_t duration_ns;
	struct report_quality quality;
	VEC(struct report_unlooked) unlooked; /* in the order of the rule table */
	VEC(struct finding) findings;
	VEC(struct report_thread) threads; /* in the order of the profile's */
	VEC(struct report_task) tasks;	   /* most time first; so are the next three */
	VEC(struct report_periodic) periodic;
	VEC(struct report_share) messages;
	VEC(struct report_native) natives;
	VEC(struct report_phase) phases;   /* by time */
	VEC(struct report_number) machine; /* what the machine had its part in */
	VEC(struct report_usage) usage;	   /* the processes over time; none: not known */
};

void report__init(struct report *r);
void report__release(struct report *r);

/** report__string - a copy that lives as long as the report. */
const char *report__string(struct report *r, const char *text);

/** report__format - the same of a formatted text. */
const char *report__format(struct report *r, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/** report__finding - a new finding at the end, all strings empty; until the next one. */
struct finding *report__finding(struct report *r);

/** finding__number - one more figure; the strings must be static or the report's. */
void finding__number(struct finding *f, const char *name, double value, const char *unit);

/** report__sort - bring the findings into their order. */
void report__sort(struct report *r);

#endif
