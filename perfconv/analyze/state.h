/* SPDX-License-Identifier: GPL-2.0 */
/* state - what the parts of the analysis share.  Nobody else includes this. */
#ifndef PERFCONV_ANALYZE_STATE_H
#define PERFCONV_ANALYZE_STATE_H

#include "perfconv/analyze/analysis.h"
#include "perfconv/analyze/frames.h"

#define LEAST_PRESENT 0.05 /* of the capture: of a thread that was there for less nothing is said */

/* All the time of one thread in one stack; a wait's stack has its reason as leaf. */
struct total {
	uint32_t stack; /* or RESOLVE_NO_STACK */
	enum thread_state state;
	enum reason reason;
	uint64_t ns, count;
};

/* A thread that was watched. */
struct watched {
	uint32_t id;		   /* the machine's */
	size_t first, totals;	   /* in analysis.totals */
	size_t shown;		   /* index in the report; REPORT_NO_THREAD: left out */
	uint64_t begin_ns, end_ns; /* it was there; begin 0: never */
	bool born, died;	   /* within the capture */
	uint64_t present, on_cpu, unknown, asleep, runnable;
	uint64_t reasons[REASONS];
	uint64_t voluntary, involuntary;
	/* The longest time without sleep. */
	uint64_t awake_ns, longest_awake_ns, longest_awake_begin;
	/* Waits for the GIL; one is often several in a row. */
	uint64_t gil_begin, gil_end, gil_waits, gil_worst_ns, gil_worst_begin;
	bool spins; /* has a finding of busy-wait */
};

/* A part of a thread's time without the event loop's poll. */
struct loop_piece {
	uint32_t stack;
	uint64_t ns;
	enum thread_state state;
	enum reason reason;
};

/* The same function that blocks the loop in the same way. */
struct loop_block {
	size_t thread;	   /* in analysis.threads */
	enum reason cause; /* REASON_NONE: it runs */
	uint32_t frame;
	uint64_t count, ns, ran_ns, worst_begin, worst_ns, worst_own_ns;
	uint32_t worst_stack;
	bool users;	  /* a function of the user's is in it */
	bool guessed;	  /* but no stack tells which */
	const char *task; /* of the worst, or NULL */
};

struct loop {
	bool open;
	const char *task; /* the part at hand is of its step; NULL: of none */
	bool runs;	  /* the thread at hand has an event loop */
	uint64_t begin_ns;
	uint32_t entry;
	uint64_t polls, last_poll_ns;
	VEC(struct loop_piece) pieces;
	struct idmap keys;
	VEC(struct loop_block) blocks;
};

struct task_step {
	uint32_t task; /* in tasks.list */
	uint64_t begin_ns, on_cpu;
};

struct task_sum {
	size_t thread;
	uint32_t name, coroutine; /* strings of tasks.strings */
	uint64_t tasks, steps, on_cpu, in_steps, longest_ns, longest_begin;
	bool exact;
};

#define TASKS_MAX_DEPTH 64u

struct tasks {
	const struct steps *steps; /* NULL: none of the thread at hand */
	uint32_t tid;		   /* inside its namespace */
	size_t next;
	size_t depth;
	struct task_step stack[TASKS_MAX_DEPTH];
	struct strtab strings;
	struct idmap keys;
	struct idmap seen; /* (thread, task id) */
	VEC(struct task_sum) list;
	bool any_exact;
};

#define HABIT_BUCKETS 224u

/* A function that waits for one reason in one thread. */
struct habit {
	size_t thread;
	enum reason reason;
	uint32_t frame, user, stack; /* of the function; NO_FRAME: native code */
	bool loop;		     /* it is the event loop's poll */
	uint64_t count, last_begin, sum_ns, first_ns, end_ns;
	uint64_t on_cpu; /* from the end of each wait to the thread's next */
	uint32_t waits[HABIT_BUCKETS], periods[HABIT_BUCKETS];
};

#define HABITS_MAX 2048u

struct habits {
	struct idmap keys;
	VEC(struct habit) list;
	size_t last_plus_1; /* whose wait the thread at hand had last, in list; 0: nobody's */
};

/* A thread's waits for one lock. */
struct lock_wait {
	uint32_t lock; /* id in locks.keys */
	size_t thread;
	uint64_t ns, count, worst_begin, worst_ns;
	uint32_t worst_stack;
};

struct locks {
	struct idmap keys;  /* (process, address, or the function where it is not known) */
	struct idmap waits; /* (lock, thread) */
	VEC(struct lock_wait) list;
};

/* How a process starts and ends, by its main thread. */
struct start {
	size_t thread;
	bool ended;
	uint64_t begin_ns, end_ns, imports_ns, queued_ns, stop_ns, exit_ns;
	struct idmap stacks;
	VEC(uint64_t) ns; /* by stack in stacks */
};

struct starts {
	VEC(struct start) list;
	bool watching; /* the thread at hand is a main one that has not started yet */
};

struct analysis {
	struct analysis_sources from;
	struct watcher watcher;
	struct frames frames;
	VEC(struct watched) threads;
	VEC(struct total) totals;
	VEC(uint32_t) slots; /* by stack + 1: index in totals, if it is of the thread at hand */
	struct loop loop;
	struct tasks tasks;
	struct habits habits;
	struct locks locks;
	struct starts starts;
	/* at the end */
	const struct profile *profile;
	struct report *report;
	uint64_t begin_ns, duration;
};

/* The thread at hand. */
static inline struct watched *analysis__thread(struct analysis *a)
{
	return &a->threads.data[a->threads.n - 1];
}

/* The time that a thread runs, or would if it were let. */
static inline uint64_t watched__wanted(const struct watched *t)
{
	return t->on_cpu + t->runnable + t->reasons[REASON_GIL];
}

static inline double share(uint64_t part, uint64_t whole)
{
	return whole ? (double)part / (double)whole : 0;
}

static inline double percent(uint64_t part, uint64_t whole)
{
	return 100 * share(part, whole);
}

static inline double milliseconds(uint64_t ns)
{
	return (double)ns / 1e6;
}

/* As time passes. */
void loop__thread(struct analysis *a);
void loop__piece(struct analysis *a, const struct stretch *s, uint64_t begin_ns, uint64_t end_ns);
/* A step begins or ends; @task: whose step goes on from here, or NULL. */
void loop__step(struct analysis *a, uint64_t time_ns, const char *task);
void tasks__thread(struct analysis *a);
void tasks__stretch(struct analysis *a, const struct stretch *s);
void habits__thread(struct analysis *a);
void habits__stretch(struct analysis *a, const struct stretch *s);
void locks__stretch(struct analysis *a, const struct stretch *s);
void starts__thread(struct analysis *a);
void starts__stretch(struct analysis *a, const struct stretch *s);

/* At the end; each releases what it has. */
void report_quality__make(struct analysis *a, uint64_t lost);
void report_threads__make(struct analysis *a);
void busy__report(struct analysis *a);
void loop__report(struct analysis *a);
void tasks__report(struct analysis *a);
void habits__report(struct analysis *a);
void locks__report(struct analysis *a);
void gil__report(struct analysis *a);
void messages__report(struct analysis *a);
void natives__report(struct analysis *a);
void starts__report(struct analysis *a);
void machine__report(struct analysis *a);
void usage__report(struct analysis *a);
void unlooked__report(struct analysis *a);

/**
 * analysis__finding - a new finding of a rule, or NULL if it is switched off
 * @thread: in a->threads, or SIZE_MAX; of one that is left out there is none
 */
struct finding *analysis__finding(struct analysis *a, enum rule_id rule, enum severity severity,
				  size_t thread);

/** analysis__whole - a finding of the whole capture or machine; the strings must live on. */
void analysis__whole(struct analysis *a, enum rule_id rule, enum severity severity,
		     const char *headline, const char *text, const char *advice, double amount);

/** analysis__evidence - the finding's stack, and its function as what to search for. */
void analysis__evidence(struct analysis *a, struct finding *f, uint32_t stack, uint32_t frame);

/** analysis__worst - the worst instance, on the capture's clock. */
void analysis__worst(const struct analysis *a, struct finding *f, uint64_t begin_ns, uint64_t ns);

/** analysis__limit - a threshold of the rule. */
double analysis__limit(const struct analysis *a, enum rule_id rule, size_t limit);

/** analysis__name - of a watched thread, as shown. */
const char *analysis__name(const struct analysis *a, size_t thread);

/** analysis__where - "name  file:line" of a frame, the report's. */
const char *analysis__where(struct analysis *a, uint32_t frame);

/** analysis__process - the machine's process of a watched thread. */
uint32_t analysis__process(const struct analysis *a, size_t thread);

/**
 * analysis__top - the user's function that most of a thread's on-CPU time is in
 * @stack: set to the heaviest stack in it
 * Return: its frame, with its time in @ns; NO_FRAME.
 */
uint32_t analysis__top(struct analysis *a, const struct watched *t, uint64_t *ns, uint32_t *stack);

#endif
