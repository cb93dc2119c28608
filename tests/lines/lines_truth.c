// SPDX-License-Identifier: GPL-2.0
/*
 * The lines that perfconv gives to each Python frame of each stack copy, for a person
 * or a test to compare with what they should be.
 *
 *     lines_truth perf.data
 *
 * Per sample "S TIME TID", then per Python frame, leaf first, tabs between:
 * "KIND NAME FILE LINE BASIS PLACE".  KIND is "leaf" where the interpreter itself was
 * sampled, "inner" for the innermost frame else, "caller" for the rest; LINE is 0 where
 * none is given, BASIS the number in enum line_basis, PLACE where the evaluator was.
 */
#include <stdio.h>
#include <stdlib.h>

#include "perfconv/pipeline/capture.h"
#include "perfconv/resolve/lines.h"

static const char *kind_of(const struct observation *o, bool return_address, bool first)
{
	if (o->innermost && !return_address)
		return "leaf";
	return first ? "inner" : "caller";
}

static void print_frame(struct capture *c, const struct lines *lines, uint32_t id, bool first)
{
	struct observation o = positions__get(&c->store.positions, id);
	struct store_location t = store__get_location(&c->store, o.trampoline);
	struct store_location e = store__get_location(&c->store, o.evaluator);
	const struct sidefile_code *code;
	uint32_t hex;

	t.place.address -= t.return_address;
	code = python__code(c->python, t.place, &hex);
	if (!code)
		return;
	printf("%s\t%s\t%s\t%u\t%d\t%llx\n", kind_of(&o, e.return_address, first), code->name,
	       code->file, lines__of(lines, id), lines__basis(lines, id),
	       (unsigned long long)e.place.address);
}

int main(int argc, char **argv)
{
	struct capture_options options = { .path = argv[1] };
	struct capture *c = NULL;
	struct lines *lines;
	struct errbuf err;

	if (argc != 2) {
		fprintf(stderr, "usage: lines_truth perf.data\n");
		return 2;
	}
	if (capture__read(&c, &options, &err)) {
		fprintf(stderr, "lines_truth: %s\n", err.text);
		return 1;
	}
	lines = c->lines;
	for (size_t i = 0; i < c->store.positions.samples.n; i++) {
		const struct positions_sample *p = &c->store.positions.samples.data[i];
		const struct store_sample *s = &c->store.samples.data[p->sample];

		printf("S %llu %u\n", (unsigned long long)s->time_ns,
		       c->machine.threads.data[s->thread].tid);
		for (uint32_t n = p->frames; n != POSITIONS_NONE;
		     n = positions__caller(&c->store.positions, n))
			print_frame(c, lines, positions__observation(&c->store.positions, n),
				    n == p->frames);
	}
	printf("# dropped %llu\n", (unsigned long long)c->store.positions.dropped);
	capture__free(c);
	return 0;
}
