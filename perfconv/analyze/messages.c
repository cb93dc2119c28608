// SPDX-License-Identifier: GPL-2.0
/*
 * Time on a CPU that goes into messages: serialising, parsing, copying, routing; and
 * functions that have both dumps and loads below them.
 */
#include <stdlib.h>
#include <string.h>

#include "perfconv/analyze/state.h"

#define SHOWN_SHARES 40u
#define TINY_SHARE 0.005
#define CALLER_LEVELS 3u /* so far out dumps and loads are still one function's */

enum direction { DUMPS, LOADS, DIRECTIONS };
enum family { JSON, PICKLE, FAMILIES };

/* By function: what it and the functions it calls do. */
struct user {
	uint64_t ns; /* on a CPU, all of it */
	uint64_t both[FAMILIES][DIRECTIONS];
	uint32_t seen, frame;
	uint32_t level; /* the nearest to a message function it was seen at; 0: never */
	size_t thread;
	uint32_t stack;
	uint64_t heaviest;
};

struct summing {
	struct user *users;
	VEC(struct report_share) rows;
};

static bool direction_of(uint8_t kind, enum family *family, enum direction *direction)
{
	switch (kind) {
	case MESSAGE_JSON_DUMPS:
	case MESSAGE_JSON_LOADS:
		*family = JSON;
		break;
	case MESSAGE_PICKLE_DUMPS:
	case MESSAGE_PICKLE_LOADS:
		*family = PICKLE;
		break;
	default:
		return false;
	}
	*direction = kind == MESSAGE_JSON_DUMPS || kind == MESSAGE_PICKLE_DUMPS ? DUMPS : LOADS;
	return true;
}

/* The functions on the way to a message function, the nearest first. */
static void add_callers(struct analysis *a, struct summing *s, const struct total *t, size_t thread,
			uint32_t caller, uint8_t kind)
{
	const struct resolved *r = a->from.resolved;
	enum direction direction;
	enum family family;
	uint32_t level = 0, last = NO_FUNCTION;

	if (!direction_of(kind, &family, &direction))
		return;
	for (uint32_t at = caller; at != RESOLVE_NO_STACK && level < CALLER_LEVELS;
	     at = resolved__parent(r, at)) {
		uint32_t frame = resolved__leaf(r, at);
		uint32_t function = frames__function(&a->frames, frame);
		struct user *u = &s->users[function];

		if (r->frames.data[frame].kind != FRAME_PYTHON || function == last ||
		    frames__marks(&a->frames, frame) & MARK_LIBRARY)
			continue;
		last = function;
		level++;
		u->both[family][direction] += t->ns;
		u->level = !u->level || level < u->level ? level : u->level;
		u->thread = thread;
		if (t->ns > u->heaviest) {
			u->heaviest = t->ns;
			u->stack = t->stack;
			u->frame = frame;
		}
	}
}

static void add_inclusive(struct analysis *a, struct summing *s, const struct total *t,
			  uint32_t number)
{
	const struct resolved *r = a->from.resolved;

	for (uint32_t at = t->stack; at != RESOLVE_NO_STACK; at = resolved__parent(r, at)) {
		struct user *u = &s->users[frames__function(&a->frames, resolved__leaf(r, at))];

		if (u->seen != number)
			u->ns += t->ns;
		u->seen = number;
	}
}

static void add_thread(struct analysis *a, struct summing *s, size_t thread)
{
	const struct watched *t = &a->threads.data[thread];
	struct {
		uint64_t ns, heaviest;
		uint32_t frame;
	} kinds[MESSAGE_KINDS] = { 0 };

	for (size_t i = t->first; i < t->first + t->totals; i++) {
		const struct total *total = &a->totals.data[i];
		const struct stack_facts facts = *frames__facts(&a->frames, total->stack);
		const struct stack_facts *outer;

		if (total->state != THREAD_RUNNING)
			continue;
		add_inclusive(a, s, total, (uint32_t)i + 1);
		if (facts.message == MESSAGE_NONE)
			continue;
		add_callers(a, s, total, thread, facts.caller, facts.message);
		kinds[facts.message].ns += total->ns;
		outer = frames__facts(&a->frames, facts.caller);
		if (total->ns > kinds[facts.message].heaviest) {
			kinds[facts.message].heaviest = total->ns;
			kinds[facts.message].frame = outer->python;
		}
	}
	for (size_t k = 1; k < MESSAGE_KINDS; k++)
		if (share(kinds[k].ns, t->on_cpu) >= TINY_SHARE)
			vec__push(&s->rows, ((struct report_share){
						    .kind = message__name((enum message_kind)k),
						    .thread = t->shown,
						    .ns = kinds[k].ns,
						    .function = frames__report(
							    &a->frames, a->report, kinds[k].frame),
					    }));
}

static int by_time(const void *a, const void *b)
{
	const struct report_share *x = a, *y = b;

	if (x->ns != y->ns)
		return x->ns > y->ns ? -1 : 1;
	if (x->thread != y->thread)
		return x->thread < y->thread ? -1 : 1;
	return strcmp(x->kind, y->kind);
}

static void report_both(struct analysis *a, const struct user *u, enum family family)
{
	static const char *const names[FAMILIES] = { [JSON] = "json", [PICKLE] = "pickle" };
	double dumps = percent(u->both[family][DUMPS], u->ns);
	double loads = percent(u->both[family][LOADS], u->ns);
	struct finding *f = analysis__finding(a, RULE_PING_PONG, SEVERITY_MEDIUM, u->thread);

	if (!f)
		return;
	f->headline = report__format(a->report, "%s: dumps %.0f %%, loads %.0f %% of its time",
				     names[family], dumps, loads);
	f->text = report__format(a->report, "%s has both dumps and loads below it",
				 analysis__where(a, u->frame));
	f->advice = "if it is the same data, hand the object over, or keep the text that was made "
		    "once";
	analysis__evidence(a, f, u->stack, u->frame);
	finding__number(f, "dumps", dumps, "%");
	finding__number(f, "loads", loads, "%");
	finding__number(f, "cpu",
			percent(u->both[family][DUMPS] + u->both[family][LOADS], a->duration), "%");
	f->amount = (double)(u->both[family][DUMPS] + u->both[family][LOADS]);
}

/* The nearest function; of those the one with most. */
static void find_both(struct analysis *a, const struct summing *s, enum family family)
{
	const struct user *best = NULL;

	for (uint32_t i = 0; i < frames__functions(&a->frames); i++) {
		const struct user *u = &s->users[i];
		double each = analysis__limit(a, RULE_PING_PONG, 0);
		uint64_t both = u->both[family][DUMPS] + u->both[family][LOADS];

		if (!u->level || percent(u->both[family][DUMPS], u->ns) < each ||
		    percent(u->both[family][LOADS], u->ns) < each ||
		    percent(both, a->duration) < analysis__limit(a, RULE_PING_PONG, 1))
			continue;
		if (!best || u->level < best->level ||
		    (u->level == best->level &&
		     both > best->both[family][DUMPS] + best->both[family][LOADS]))
			best = u;
	}
	if (best)
		report_both(a, best, family);
}

static void report_share_of(struct analysis *a, const struct summing *s)
{
	uint64_t all = 0, messages = 0;
	const struct report_share *most = s->rows.n ? &s->rows.data[0] : NULL;
	struct finding *f;

	for (size_t i = 0; i < a->threads.n; i++)
		if (a->threads.data[i].shown != REPORT_NO_THREAD)
			all += a->threads.data[i].on_cpu;
	for (size_t i = 0; i < s->rows.n; i++)
		messages += s->rows.data[i].ns;
	if (!most || percent(messages, all) < analysis__limit(a, RULE_MESSAGES, 0) ||
	    percent(messages, a->duration) < analysis__limit(a, RULE_MESSAGES, 1))
		return;
	f = analysis__finding(a, RULE_MESSAGES, SEVERITY_LOW, SIZE_MAX);
	if (!f)
		return;
	f->thread = most->thread;
	f->profile = a->report->threads.data[most->thread].name;
	f->function = most->function;
	f->search = most->function.name;
	f->headline =
		report__format(a->report, "%.0f %% of the on-CPU time", percent(messages, all));
	f->text = report__format(a->report, "most of it is %s, asked for by %s", most->kind,
				 *most->function.name ? most->function.name : "native code");
	f->advice = "send fewer or smaller messages, subscribe to less, or use a faster library";
	finding__number(f, "share", percent(messages, all), "%");
	finding__number(f, "cpu", percent(messages, a->duration), "%");
	f->amount = (double)messages;
}

static void know_all_frames(struct analysis *a)
{
	for (size_t i = 0; i < a->totals.n; i++)
		(void)frames__facts(&a->frames, a->totals.data[i].stack);
}

void messages__report(struct analysis *a)
{
	struct summing s = { 0 };

	know_all_frames(a);
	s.users = mem__alloc(frames__functions(&a->frames), sizeof(*s.users));
	for (size_t i = 0; i < a->threads.n; i++)
		if (a->threads.data[i].shown != REPORT_NO_THREAD)
			add_thread(a, &s, i);
	if (s.rows.n)
		qsort(s.rows.data, s.rows.n, sizeof(*s.rows.data), by_time);
	find_both(a, &s, JSON);
	find_both(a, &s, PICKLE);
	report_share_of(a, &s);
	for (size_t i = 0; i < s.rows.n && i < SHOWN_SHARES; i++)
		vec__push(&a->report->messages, s.rows.data[i]);
	vec__release(&s.rows);
	free(s.users);
}
