// SPDX-License-Identifier: GPL-2.0
#include "perfconv/analyze/rules.h"

#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

/* clang-format off */
static const struct rule table[RULES] = {
	[RULE_QUALITY] = { "capture-quality", "the capture says too little", SEVERITY_MEDIUM,
		"stacks are cut, records were lost, or nothing tells of waits",
		{ { "complete", "% of the stacks", 90 }, { "waits", "% of waits with a stack", 50 } } },
	[RULE_BUSY_WAIT] = { "busy-wait", "spins instead of waiting", SEVERITY_HIGH,
		"a thread wants a CPU nearly all the time and asks the same thing in one small loop",
		{ { "busy", "% of the time", 50 }, { "asleep", "% of the time at most", 5 },
		  { "checks", "% of the loop that only asks", 2 } } },
	[RULE_LOOP_BLOCKED] = { "loop-blocked", "the event loop is blocked", SEVERITY_HIGH,
		"the loop does not come back to its poll: what else is due waits",
		{ { "longest", "ms", 50 } } },
	[RULE_LOCK_CONVOY] = { "lock-convoy", "threads queue for one lock", SEVERITY_HIGH,
		"two or more threads wait again and again for a lock that others hold",
		{ { "waiting", "% of a thread's time", 20 }, { "rate", "waits/s", 20 } } },
	[RULE_GIL_CONVOY] = { "gil-convoy", "threads queue for the GIL", SEVERITY_HIGH,
		"a thread could run Python code, but another one does",
		{ { "waiting", "% of a thread's time", 20 }, { "rate", "waits/s", 5 } } },
	[RULE_POLLING] = { "polling", "wakes up again and again", SEVERITY_HIGH,
		"a function sleeps or polls with a short, fixed timeout",
		{ { "period", "ms at most", 10 }, { "regular", "% of the waits", 50 },
		  { "share", "% of the time in such waits", 20 } } },
	[RULE_GC] = { "gc", "garbage collection takes much time", SEVERITY_HIGH,
		"the collector's part of a process's on-CPU time",
		{ { "share", "% of on-CPU time", 10 }, { "cpu", "% of a core at least", 2 } } },
	[RULE_PING_PONG] = { "redundant-serialization", "serialises and parses the same data",
		SEVERITY_MEDIUM, "one function has both dumps and loads below it",
		{ { "each", "% of the function's on-CPU time", 10 },
		  { "both", "% of a core at least", 2 } } },
	[RULE_SLOW_START] = { "slow-start", "takes long to start", SEVERITY_MEDIUM,
		"from the process's first moment to its first long wait, without the run queue",
		{ { "start", "s", 1 }, { "function", "% of it in one function", 20 } } },
	[RULE_THROTTLED] = { "throttled", "the control group's CPU limit holds it back",
		SEVERITY_HIGH, "throttled time as the cgroup counts it",
		{ { "throttled", "% of the time", 1 } } },
	[RULE_CPU_STARVED] = { "cpu-starved", "waits for a CPU", SEVERITY_MEDIUM,
		"a thread is preempted or in the run queue",
		{ { "waiting", "% of the time", 10 }, { "of", "% of what it wanted", 20 } } },
	[RULE_SWAPPING] = { "swapping", "memory is swapped", SEVERITY_MEDIUM,
		"pages the machine read from or wrote to swap",
		{ { "pages", "pages/s", 10 } } },
	[RULE_CPU_SLOW] = { "cpu-slow", "the CPU runs below its frequency", SEVERITY_LOW,
		"the mean frequency of the CPUs, by what they can do",
		{ { "frequency", "% of the highest at most", 70 } } },
	[RULE_TARGET] = { "target", "misses its target", SEVERITY_MEDIUM,
		"a thread uses more CPU or sleeps less than its group should in this scenario",
		{ { NULL, NULL, 0 } } },
	[RULE_CPU_BOUND] = { "cpu-bound", "computes all the time", SEVERITY_MEDIUM,
		"a thread hardly waits, and one function has most of its time",
		{ { "busy", "% of the time", 80 }, { "function", "% of it in one function", 50 } } },
	[RULE_MESSAGES] = { "messages", "much time goes into messages", SEVERITY_LOW,
		"serialising, parsing and copying, by kind",
		{ { "share", "% of on-CPU time", 25 }, { "cpu", "% of a core at least", 5 } } },
	[RULE_NATIVE] = { "native", "a native library is a hot spot", SEVERITY_INFO,
		"one library called by one Python function",
		{ { "share", "% of on-CPU time", 25 }, { "cpu", "% of a core at least", 10 } } },
	[RULE_SLOW_STOP] = { "slow-stop", "takes long to stop", SEVERITY_LOW,
		"from the main thread's last turn of its loop to the process's end",
		{ { "stop", "s", 2 } } },
};
/* clang-format on */

static const struct {
	const char *pattern, *group;
} default_groups[] = {
	{ "MainThread", "main" },
	{ "MavLink*", "mavlink worker" },
	{ "MAVLink*", "mavlink worker" },
	{ "Redis*", "redis worker" },
	{ "MQTT*", "mqtt worker" },
	{ "*Proxy_[0-9]*", "proxy worker" },
	{ "ThreadPoolExecutor-*", "executor worker" },
	{ "asyncio_[0-9]*", "executor worker" },
	{ "uvloop_[0-9]*", "executor worker" },
	{ "libuv-worker*", "native" },
};

/* The guide's: workers of an idle program. */
static const struct {
	const char *scenario, *group;
	double cpu_percent, asleep_percent;
} default_targets[] = {
	{ "idle*", "*worker", 5, 95 },
};

const struct rule *rule__get(enum rule_id id)
{
	return &table[id];
}

enum rule_id rule__find(const char *id)
{
	for (size_t i = 0; i < RULES; i++)
		if (!strcmp(table[i].id, id))
			return (enum rule_id)i;
	return RULES;
}

void rules__init(struct rules *r)
{
	memset(r, 0, sizeof(*r));
	for (size_t i = 0; i < RULES; i++)
		for (size_t k = 0; k < RULE_LIMITS; k++)
			r->limits[i][k] = table[i].limits[k].value;
	for (size_t i = 0; i < sizeof(default_groups) / sizeof(*default_groups); i++)
		vec__push(&r->groups,
			  ((struct rule_group){ mem__strdup(default_groups[i].pattern),
						mem__strdup(default_groups[i].group) }));
	for (size_t i = 0; i < sizeof(default_targets) / sizeof(*default_targets); i++)
		vec__push(&r->targets,
			  ((struct rule_target){ mem__strdup(default_targets[i].scenario),
						 mem__strdup(default_targets[i].group),
						 default_targets[i].cpu_percent,
						 default_targets[i].asleep_percent }));
}

void rules__release(struct rules *r)
{
	for (size_t i = 0; i < r->groups.n; i++) {
		free(r->groups.data[i].pattern);
		free(r->groups.data[i].group);
	}
	for (size_t i = 0; i < r->targets.n; i++) {
		free(r->targets.data[i].scenario);
		free(r->targets.data[i].group);
	}
	vec__release(&r->groups);
	vec__release(&r->targets);
	free(r->path);
}

const char *rules__group(const struct rules *r, const char *name)
{
	for (size_t i = 0; i < r->groups.n; i++)
		if (!fnmatch(r->groups.data[i].pattern, name, 0))
			return r->groups.data[i].group;
	return "";
}

const struct rule_target *rules__target(const struct rules *r, const char *scenario,
					const char *group)
{
	for (size_t i = 0; i < r->targets.n; i++)
		if (!fnmatch(r->targets.data[i].scenario, scenario, 0) &&
		    !fnmatch(r->targets.data[i].group, group, 0))
			return &r->targets.data[i];
	return NULL;
}
