// SPDX-License-Identifier: GPL-2.0
/*
 * The rules that could not look, for lack of what they need: silence of a rule says
 * something only where it is not here.
 *
 * What says nothing of the capture's making is left out: a scenario without targets,
 * a program whose start is not a part of it.
 */
#include "perfconv/analyze/state.h"

/* Short: it stands in parentheses behind the rules' names. */
static const char no_switches[] = "needs every switch: --switch-events, sched:sched_switch";
static const char no_python[] = "needs Python's functions: run it under pyframes";
static const char no_looks[] = "needs snapshots: perf-pyrecord -p and profile_pam.py make them";

static bool has_python(const struct analysis *a)
{
	const struct resolved *r = a->from.resolved;

	for (size_t i = 0; i < r->frames.n; i++)
		if (r->frames.data[i].kind == FRAME_PYTHON)
			return true;
	return false;
}

/* Its functions that are not exported have no names, the collector's among them. */
static bool is_stripped(struct analysis *a)
{
	const struct resolved *r = a->from.resolved;

	for (uint32_t i = 0; i < r->frames.n; i++)
		if (r->frames.data[i].kind == FRAME_NATIVE && !r->frames.data[i].named &&
		    frames__marks(&a->frames, i) & MARK_INTERPRETER)
			return true;
	return false;
}

static const char *of_machine(const struct analysis *a, enum rule_id rule)
{
	const struct threads_file *f = a->from.threads;
	const struct machine_look *first, *last;

	if (!f || f->machine.n < 2)
		return no_looks;
	first = &f->machine.data[0];
	last = &f->machine.data[f->machine.n - 1];
	if (rule == RULE_THROTTLED && !(first->has_throttled && last->has_throttled))
		return "the control group has no count of it";
	if (rule == RULE_SWAPPING && !(first->has_swap && last->has_swap))
		return "the kernel has no count of it";
	if (rule == RULE_CPU_SLOW && !(first->mhz && last->mhz && last->max_mhz))
		return "the machine does not tell";
	return NULL;
}

/* Why a rule could not look, or NULL.  @python: its functions are in the capture. */
static const char *missing(struct analysis *a, enum rule_id rule, bool python)
{
	bool switches = a->profile->exact;

	switch (rule) {
	case RULE_GIL_CONVOY: /* is told by its address: without any function's name */
	case RULE_POLLING:
	case RULE_CPU_STARVED:
		return switches ? NULL : no_switches;
	case RULE_LOOP_BLOCKED:
	case RULE_LOCK_CONVOY:
		return switches ? python ? NULL : no_python : no_switches;
	case RULE_BUSY_WAIT:
	case RULE_PING_PONG:
	case RULE_CPU_BOUND:
	case RULE_MESSAGES:
	case RULE_NATIVE:
		return python ? NULL : no_python;
	case RULE_GC:
		return !python		? no_python
		       : is_stripped(a) ? "the interpreter is stripped: needs its debug symbols"
					: NULL;
	case RULE_TARGET:
		return !switches	    ? no_switches
		       : !*a->from.scenario ? "needs a scenario: --scenario NAME"
					    : NULL;
	case RULE_THROTTLED:
	case RULE_SWAPPING:
	case RULE_CPU_SLOW:
		return of_machine(a, rule);
	case RULE_QUALITY:
	case RULE_SLOW_START:
	case RULE_SLOW_STOP:
	case RULES:
	default:
		return NULL;
	}
}

/* Of several programs, one may have what another lacks. */
static bool has_found(const struct analysis *a, enum rule_id rule)
{
	for (size_t i = 0; i < a->report->findings.n; i++)
		if (rule__find(a->report->findings.data[i].rule) == rule)
			return true;
	return false;
}

void unlooked__report(struct analysis *a)
{
	bool python = has_python(a);

	for (int i = 0; i < RULES; i++) {
		enum rule_id rule = (enum rule_id)i;
		const char *because = rules__is_off(a->from.rules, rule) ? NULL
									 : missing(a, rule, python);

		if (because && !has_found(a, rule))
			vec__push(&a->report->unlooked,
				  ((struct report_unlooked){ rule__get(rule)->id, because }));
	}
}
