// SPDX-License-Identifier: GPL-2.0
#include "perfconv/pipeline/switching.h"

#include <linux/perf_event.h>
#include <stdlib.h>
#include <string.h>

#include "perfconv/unwind/callchain.h"
#include "perfconv/unwind/regs_key.h"

enum role { /* of an event */
	    ROLE_NONE,
	    ROLE_SWITCH, /* sched:sched_switch */
	    ROLE_WAKEUP, /* sched:sched_wakeup and its kind */
	    ROLE_DUMP,	 /* context-switches */
};

#define MAX_CPUS 65536u /* beyond, a record's CPU is not believed */
#define STATES 0xff	/* of prev_state; the bits above say how it was preempted */

static enum role role_of(const struct perfdata_event *e)
{
	if (!strncmp(e->name, "sched:sched_switch", 18))
		return ROLE_SWITCH;
	if (!strncmp(e->name, "sched:sched_waking", 18) ||
	    !strncmp(e->name, "sched:sched_wakeup", 18))
		return ROLE_WAKEUP;
	if (e->type == PERF_TYPE_SOFTWARE && e->config == PERF_COUNT_SW_CONTEXT_SWITCHES)
		return ROLE_DUMP;
	return ROLE_NONE;
}

static enum role role(struct switching *s, uint32_t event)
{
	while (s->roles.n <= event) {
		enum role next = role_of(perfdata__event(s->data, s->roles.n));

		vec__push(&s->roles, (uint8_t)next);
	}
	return (enum role)s->roles.data[event];
}

void switching__init(struct switching *s, const struct perfdata *data, const char *arch,
		     struct machine *machine, struct store *store, struct switches *switches)
{
	memset(s, 0, sizeof(*s));
	s->data = data;
	s->machine = machine;
	s->store = store;
	s->switches = switches;
	s->arch = regs_arch__find(arch);
	switches->registers = regs_key__registers(s->arch);
}

void switching__release(struct switching *s)
{
	vec__release(&s->roles);
	vec__release(&s->cpu_last_ns);
	vec__release(&s->user);
	vec__release(&s->kernel);
}

/* Time of the record before this one in the same buffer, which is a CPU's. */
static uint64_t note_cpu(struct switching *s, const struct record *rec)
{
	uint64_t before = s->last_ns;

	if (rec->time_ns == RECORD_NO_TIME)
		return before;
	s->last_ns = rec->time_ns;
	if (rec->cpu >= MAX_CPUS)
		return before;
	while (s->cpu_last_ns.n <= rec->cpu)
		vec__push(&s->cpu_last_ns, 0);
	before = s->cpu_last_ns.data[rec->cpu];
	s->cpu_last_ns.data[rec->cpu] = rec->time_ns;
	return before;
}

/* Number 0 is every CPU's idle task, -1 a task on its way out. */
static bool is_task(const struct record *rec)
{
	return rec->tid && rec->tid != UINT32_MAX && rec->time_ns != RECORD_NO_TIME;
}

static void add_switch(struct switching *s, const struct record *rec)
{
	uint32_t thread;

	if (!is_task(rec))
		return;
	thread = machine__thread(s->machine, rec->pid, rec->tid);
	if (rec->sched.out)
		switches__out(s->switches, rec->time_ns, thread, SWITCH_BY_RECORD,
			      rec->sched.preempted, SWITCH_NO_PLACE);
	else
		switches__in(s->switches, rec->time_ns, thread);
}

void switching__record(struct switching *s, const struct record *rec)
{
	uint64_t before = note_cpu(s, rec);

	if (rec->type == PERF_RECORD_SWITCH || rec->type == PERF_RECORD_SWITCH_CPU_WIDE)
		add_switch(s, rec);
	else if ((rec->type == PERF_RECORD_LOST || rec->type == PERF_RECORD_LOST_SAMPLES) &&
		 rec->time_ns != RECORD_NO_TIME)
		switches__lost(s->switches, before, rec->time_ns);
}

bool switching__has_dumps(const struct perfdata *data)
{
	for (size_t i = 0; i < perfdata__events(data); i++)
		if (perfdata__event(data, i)->sample_type & PERF_SAMPLE_STACK_USER)
			return true;
	return false;
}

static void gather_chain(struct switching *s, const struct record *rec, uint32_t process)
{
	struct callchain_entry e;
	struct callchain chain;

	s->user.n = 0;
	s->kernel.n = 0;
	callchain__init(&chain, rec->sample.callchain, rec->sample.callchain_n, rec->misc);
	while (callchain__next(&chain, &e)) {
		if (e.space == CALLCHAIN_KERNEL)
			vec__push(&s->kernel, store__location(s->store, machine__kernel_place(e.ip),
							      e.return_address));
		else if (e.space == CALLCHAIN_USER)
			vec__push(&s->user,
				  store__location(s->store,
						  machine__user_place(s->machine, process, e.ip),
						  e.return_address));
	}
}

/* The kernel's chain upon the user's.  Where stacks are dumped, nobody expects frame
 * pointers, and of the user's chain only the address itself is true; where there is
 * none, the registers have it. */
static uint32_t place_stack(struct switching *s, const struct record *rec, uint32_t process,
			    const struct regs_key *key)
{
	uint32_t stack = STORE_NO_STACK;

	gather_chain(s, rec, process);
	if (key && (switching__has_dumps(s->data) || !s->user.n)) {
		s->user.n = 0;
		vec__push(&s->user,
			  store__location(s->store,
					  machine__user_place(s->machine, process, key->ip),
					  false));
	}
	for (size_t i = s->user.n; i-- > 0;)
		stack = store__push(s->store, stack, s->user.data[i]);
	for (size_t i = s->kernel.n; i-- > 0;)
		stack = store__push(s->store, stack, s->kernel.data[i]);
	return stack;
}

static uint32_t place_of(struct switching *s, const struct record *rec, uint32_t thread,
			 bool preempted)
{
	uint32_t process = s->machine->threads.data[thread].process;
	struct switch_place place = { .regs = SWITCH_NO_REGS };
	struct regs_key key;
	bool keyed = regs_key__from_sample(s->arch, &rec->sample, &key);

	place.stack = place_stack(s, rec, process, keyed ? &key : NULL);
	if (keyed) {
		place.regs = switches__regs(s->switches, key.words);
		place.argument = preempted ? 0 : key.argument;
	}
	return switches__place(s->switches, place);
}

static bool number(struct switching *s, const struct record *rec, const char *field,
		   uint64_t *value)
{
	struct tracing *tracing = perfdata__tracing(s->data);

	return tracing && rec->sample.raw &&
	       tracing__number(tracing, perfdata__event(s->data, rec->event)->config,
			       rec->sample.raw, rec->sample.raw_bytes, field, value);
}

/* Known by its number only: its process was named when it first ran. */
static bool find_thread(struct switching *s, uint64_t tid, uint32_t *thread)
{
	uint32_t at = idmap__find(&s->machine->tids, tid, 0);

	if (!tid || at == IDMAP_NONE)
		return false;
	*thread = s->machine->current_thread.data[at];
	return true;
}

static void add_tracepoint(struct switching *s, const struct record *rec, uint32_t thread)
{
	uint64_t state, next;
	uint32_t next_thread;
	bool preempted = number(s, rec, "prev_state", &state) && !(state & STATES);

	if (is_task(rec))
		switches__out(s->switches, rec->time_ns, thread, SWITCH_BY_TRACEPOINT, preempted,
			      place_of(s, rec, thread, preempted));
	if (rec->time_ns != RECORD_NO_TIME && number(s, rec, "next_pid", &next) &&
	    find_thread(s, next, &next_thread))
		switches__in(s->switches, rec->time_ns, next_thread);
}

static void add_wakeup(struct switching *s, const struct record *rec)
{
	uint64_t tid;
	uint32_t thread;

	if (rec->time_ns != RECORD_NO_TIME && number(s, rec, "pid", &tid) &&
	    find_thread(s, tid, &thread))
		switches__wakeup(s->switches, rec->time_ns, thread);
}

/* A capture of nothing but switches shows them as its samples. */
static bool has_clock(const struct perfdata *data)
{
	for (size_t i = 0; i < perfdata__events(data); i++) {
		const struct perfdata_event *e = perfdata__event(data, i);

		if (e->type == PERF_TYPE_HARDWARE ||
		    (e->type == PERF_TYPE_SOFTWARE && (e->config == PERF_COUNT_SW_CPU_CLOCK ||
						       e->config == PERF_COUNT_SW_TASK_CLOCK)))
			return true;
	}
	return false;
}

static bool is_dumped(const struct switching *s, const struct record *rec)
{
	return perfdata__event(s->data, rec->event)->sample_type & PERF_SAMPLE_STACK_USER;
}

enum switching_use switching__sample(struct switching *s, const struct record *rec, uint32_t thread)
{
	note_cpu(s, rec);
	switch (role(s, rec->event)) {
	case ROLE_SWITCH:
		add_tracepoint(s, rec, thread);
		return has_clock(s->data) && !is_dumped(s, rec) ? SWITCHING_TAKEN : SWITCHING_KEEP;
	case ROLE_WAKEUP:
		add_wakeup(s, rec);
		return has_clock(s->data) ? SWITCHING_TAKEN : SWITCHING_KEEP;
	case ROLE_DUMP:
		if (is_task(rec))
			switches__out(s->switches, rec->time_ns, thread, SWITCH_BY_DUMP, false,
				      place_of(s, rec, thread, false));
		return SWITCHING_KEEP;
	case ROLE_NONE:
	default:
		return SWITCHING_KEEP;
	}
}

void switching__stored(struct switching *s, const struct record *rec, uint32_t sample)
{
	uint32_t regs = SWITCH_NO_REGS;
	struct regs_key key;

	if (!is_task(rec) || (role(s, rec->event) != ROLE_DUMP &&
			      (role(s, rec->event) != ROLE_SWITCH || !is_dumped(s, rec))))
		return;
	if (regs_key__from_sample(s->arch, &rec->sample, &key))
		regs = switches__regs(s->switches, key.words);
	vec__push(&s->switches->dumps, ((struct switch_dump){ sample, regs }));
}

bool switching__is_exact(const struct perfdata *data)
{
	for (size_t i = 0; i < perfdata__events(data); i++) {
		const struct perfdata_event *e = perfdata__event(data, i);

		if (e->context_switch || role_of(e) == ROLE_SWITCH ||
		    (role_of(e) == ROLE_DUMP && !e->freq && e->period_or_freq == 1))
			return true;
	}
	return false;
}
