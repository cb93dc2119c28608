// SPDX-License-Identifier: GPL-2.0
/* A whole capture: header, events, features, records, machine. */
#include "perfconv/machine/machine.h"
#include "perfconv/perfdata/perfdata.h"
#include "tests/fuzz/target.h"

static volatile uint64_t sum; /* every borrowed byte is looked at */

static void touch(const uint8_t *bytes, size_t n)
{
	for (size_t i = 0; i < n; i++)
		sum += bytes[i];
}

static void touch_sample(struct perfdata *p, const struct machine *m, const struct record *rec,
			 uint32_t process)
{
	const struct record_sample *s = &rec->sample;
	const struct perfdata_event *e = perfdata__event(p, rec->event);
	uint64_t pid;

	touch((const uint8_t *)s->callchain, s->callchain_n * sizeof(*s->callchain));
	touch(s->raw, s->raw_bytes);
	touch(s->stack, s->stack_bytes);
	for (size_t i = 0; s->user_regs && i < (size_t)__builtin_popcountll(s->user_regs_mask); i++)
		sum += s->user_regs[i];
	sum += machine__user_place(m, process, s->ip).address;
	if (s->raw && perfdata__tracing(p) &&
	    tracing__number(perfdata__tracing(p), e->config, s->raw, s->raw_bytes, "prev_pid",
			    &pid))
		sum += pid;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	struct machine m;
	struct perfdata *p;
	struct record rec;

	if (perfdata__open(&p, target__file(bytes, n), NULL))
		return 0;
	machine__init(&m);
	while (perfdata__next(p, &rec, NULL) > 0) {
		if (rec.type == 9) {
			uint32_t thread = machine__thread(&m, rec.pid, rec.tid);

			touch_sample(p, &m, &rec, m.threads.data[thread].process);
		} else {
			machine__apply(&m, &rec);
		}
	}
	machine__release(&m);
	perfdata__free(p);
	return 0;
}
