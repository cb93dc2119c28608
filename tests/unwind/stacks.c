// SPDX-License-Identifier: GPL-2.0
/*
 * The addresses that perfconv's unwinder finds in a capture, a line per sample:
 *
 *     TIME ENDING IP IP IP ...        leaf first, hexadecimal
 */
#include <inttypes.h>
#include <linux/perf_event.h>
#include <stdio.h>
#include <stdlib.h>

#include "perfconv/perfdata/perfdata.h"
#include "perfconv/unwind/unwind.h"

static const char *const endings[STACK_ENDINGS] = {
	[STACK_COMPLETE] = "complete",
	[STACK_TRUNCATED] = "truncated",
	[STACK_LOST] = "lost",
	[STACK_CHAIN] = "chain",
};

static void print(struct unwinder *u, const struct machine *m, uint32_t thread,
		  const struct record *rec, struct unwind_stack *stack)
{
	unwinder__unwind(u, m->threads.data[thread].process, &rec->sample, stack);
	printf("%" PRIu64 " %s", rec->time_ns, endings[stack->ending]);
	for (size_t i = 0; i < stack->n; i++)
		printf(" %" PRIx64, stack->frames[i].ip);
	printf("\n");
}

int main(int argc, char **argv)
{
	struct unwind_stack *stack = mem__alloc(1, sizeof(*stack));
	struct unwinder *u;
	struct machine m;
	struct images images;
	struct perfdata *data;
	struct record rec;
	struct errbuf err;
	int code;

	if (argc != 2)
		return 2;
	if (perfdata__open(&data, argv[1], &err)) {
		fprintf(stderr, "stacks: %s\n", err.text);
		return 1;
	}
	machine__init(&m);
	images__init(&images, argv[1], NULL);
	images.local_kernel = true;
	u = unwinder__new(perfdata__info(data)->arch, &m, &images);
	while (u && (code = perfdata__next(data, &rec, &err)) > 0) {
		if (rec.type == PERF_RECORD_SAMPLE)
			print(u, &m, machine__thread(&m, rec.pid, rec.tid), &rec, stack);
		else
			machine__apply(&m, &rec);
	}
	if (!u || code < 0)
		fprintf(stderr, "stacks: %s\n", u ? err.text : "unknown architecture");
	unwinder__free(u);
	images__release(&images);
	machine__release(&m);
	perfdata__free(data);
	free(stack);
	return !u || code < 0;
}
