// SPDX-License-Identifier: GPL-2.0
#include "perfconv/output/times_json.h"

static void write_reasons(struct json *j, const struct profile_times *times)
{
	json__key(j, "reasonsNs");
	json__object(j);
	for (size_t i = 0; i < REASONS; i++)
		if (times->reasons[i])
			json__key_u64(j, reason__name((enum reason)i), times->reasons[i]);
	json__object_end(j);
}

static void write_stacks(struct json *j, const struct profile_times *times)
{
	static const char *const names[WAIT_STACKS] = {
		[WAIT_EQUAL] = "equalRegisters", [WAIT_CUT] = "cut",
		[WAIT_SNAPSHOT] = "snapshot",	 [WAIT_CHAIN] = "callchain",
		[WAIT_OUTER] = "outer",		 [WAIT_NONE] = "none",
	};

	json__key(j, "waitStacksNs");
	json__object(j);
	for (size_t i = 0; i < WAIT_STACKS; i++)
		json__key_u64(j, names[i], times->stacks[i]);
	json__object_end(j);
}

void times_json__write(struct json *j, const struct profile_thread *t)
{
	const struct profile_times *times = &t->times;

	json__key(j, "times");
	json__object(j);
	json__key_u64(j, "onCpuNs", t->weight);
	json__key_u64(j, "offCpuNs", times->off);
	json__key_u64(j, "unknownNs", times->unknown);
	json__key_u64(j, "absentNs", times->absent);
	json__key_u64(j, "onCpuWithoutStackNs", times->unsampled);
	json__key_u64(j, "switchingNs", times->switching);
	write_reasons(j, times);
	write_stacks(j, times);
	if (times->has_schedstat) {
		json__key_u64(j, "schedstatRunNs", times->schedstat_run);
		json__key_u64(j, "schedstatQueueNs", times->schedstat_queue);
		json__key_u64(j, "schedstatOnCpuNs", times->schedstat_on_cpu);
	}
	json__object_end(j);
}
