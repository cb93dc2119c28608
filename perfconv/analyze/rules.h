/* SPDX-License-Identifier: GPL-2.0 */
/*
 * rules - what is looked for, and from which figure on it is told.
 *
 * The table in rules.c is the only place that knows ids, titles and thresholds;
 * docs/rules.md shows it.  A file of settings can change thresholds, switch rules
 * off, group threads by name and set targets, also for some scenarios only.
 */
#ifndef PERFCONV_ANALYZE_RULES_H
#define PERFCONV_ANALYZE_RULES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "perfconv/analyze/report.h"
#include "perfconv/base/errbuf.h"

/* In the order in which findings of equal severity are told: causes before effects. */
enum rule_id {
	RULE_QUALITY,
	RULE_BUSY_WAIT,
	RULE_LOOP_BLOCKED,
	RULE_LOCK_CONVOY,
	RULE_GIL_CONVOY,
	RULE_POLLING,
	RULE_GC,
	RULE_PING_PONG,
	RULE_SLOW_START,
	RULE_THROTTLED,
	RULE_CPU_STARVED,
	RULE_SWAPPING,
	RULE_CPU_SLOW,
	RULE_TARGET,
	RULE_CPU_BOUND,
	RULE_MESSAGES,
	RULE_NATIVE,
	RULE_SLOW_STOP,
	RULES,
};

#define RULE_LIMITS 4u

/* A threshold.  Its name is NULL behind a rule's last one. */
struct rule_limit {
	const char *name, *unit;
	double value;
};

struct rule {
	const char *id, *title;
	enum severity severity; /* at most: a finding may be less severe */
	const char *about;	/* what it finds, one line */
	struct rule_limit limits[RULE_LIMITS];
};

/** rule__get - borrowed, static. */
const struct rule *rule__get(enum rule_id id);

/** rule__find - the rule with this id, or RULES. */
enum rule_id rule__find(const char *id);

/* Threads whose names match are called so; '*' and '?' stand for any characters. */
struct rule_group {
	char *pattern, *group;
};

/* What threads of a group should keep to in a scenario. */
struct rule_target {
	char *scenario, *group; /* patterns */
	double cpu_percent, asleep_percent;
};

struct rules {
	bool off[RULES], left_out[RULES]; /* by the file; by the user, whatever the file says */
	char *path;			  /* of the file that was read, or NULL */
	double limits[RULES][RULE_LIMITS];
	VEC(struct rule_group) groups;	 /* the first that matches counts */
	VEC(struct rule_target) targets; /* likewise */
};

/** rules__init - as the table has them; released by rules__release(). */
void rules__init(struct rules *r);
void rules__release(struct rules *r);

/**
 * rules__read - change them as the JSON file at @path says
 * @scenario: whose parts of the file count; "" if not known
 * Return: 0; -errno with a message, with some of it changed.
 */
int rules__read(struct rules *r, const char *path, const char *scenario, struct errbuf *err);

/**
 * rules__enter - read the file again, if one was read, for a scenario that is known only now
 * What was left out still is.
 * Return: 0; -errno with a message, and nothing changed.
 */
int rules__enter(struct rules *r, const char *scenario, struct errbuf *err);

/** rules__is_off - whether nobody wants to know of it. */
static inline bool rules__is_off(const struct rules *r, enum rule_id id)
{
	return r->off[id] || r->left_out[id];
}

/** rules__limit - a threshold of a rule, by its place in the table. */
static inline double rules__limit(const struct rules *r, enum rule_id id, size_t limit)
{
	return r->limits[id][limit];
}

/** rules__group - what a thread of this name is called; "" if no pattern matches. */
const char *rules__group(const struct rules *r, const char *name);

/** rules__target - of a thread of @group in @scenario, or NULL. */
const struct rule_target *rules__target(const struct rules *r, const char *scenario,
					const char *group);

#endif
