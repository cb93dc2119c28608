// SPDX-License-Identifier: GPL-2.0
/*
 * Stitching against the truth: a capture with full stack dumps is read whole, then
 * with dumps cut to BYTES and stitched, and the stacks are compared.
 *
 *     stitch_truth BYTES perf.data
 *
 * Prints per thread "PID TID NAME WHOLE CUT STITCHED WRONG", tabs between: stacks that
 * are complete in the whole reading, those of them that the cut dump cut, those of
 * these that were stitched, and those of these that are not what the whole reading
 * has.  With -v, also the wrong ones and where those lie that stayed cut.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "perfconv/pipeline/capture.h"
#include "perfconv/store/activation.h"

struct row {
	unsigned long whole, cut, stitched, wrong;
};

static struct capture *read_capture(const char *path, uint32_t max_dump)
{
	struct capture_options o = { .path = path, .no_stitch = !max_dump, .max_dump = max_dump };
	struct capture *c = NULL;
	struct errbuf err;

	if (capture__read(&c, &o, &err)) {
		fprintf(stderr, "stitch_truth: %s\n", err.text);
		exit(1);
	}
	return c;
}

static bool is_equal(const struct capture *a, const struct capture *b, uint32_t x, uint32_t y)
{
	while (x != STORE_NO_STACK && y != STORE_NO_STACK) {
		struct store_location l = store__get_location(&a->store, store__leaf(&a->store, x));
		struct store_location m = store__get_location(&b->store, store__leaf(&b->store, y));

		if (l.place.dso != m.place.dso || l.place.address != m.place.address ||
		    l.return_address != m.return_address)
			return false;
		x = store__parent(&a->store, x);
		y = store__parent(&b->store, y);
	}
	return x == y;
}

static void print_frame(const struct capture *c, uint32_t location)
{
	struct store_location l = store__get_location(&c->store, location);
	struct place p = { l.place.dso, l.place.address - l.return_address };
	const char *name = symbols__find(c->symbols, p);

	printf(" %s:%llx:%s", dso__short_name(dsos__get(&c->machine.dsos, p.dso)),
	       (unsigned long long)l.place.address, name ? name : "?");
}

/* Root first. */
static void print_stack(const struct capture *c, uint32_t stack)
{
	uint32_t parent = store__parent(&c->store, stack);

	if (parent != STORE_NO_STACK)
		print_stack(c, parent);
	print_frame(c, store__leaf(&c->store, stack));
}

static void explain(const struct capture *whole, const struct capture *cut, size_t i)
{
	const struct store_sample *s = &cut->store.samples.data[i];
	uint32_t a = s->activation;

	if (s->stitched) {
		printf("wrong:");
		print_stack(cut, s->stack);
		printf("\ntruth:");
		print_stack(whole, whole->store.samples.data[i].stack);
		printf("\n");
		return;
	}
	while (activation__parent(&cut->store, a) != STORE_NO_ACTIVATION)
		a = activation__parent(&cut->store, a);
	printf("cut: tid %u at %llx", cut->machine.threads.data[s->thread].tid,
	       (unsigned long long)activation__cfa(&cut->store, a));
	print_frame(cut, activation__location(&cut->store, a));
	printf("\n");
}

static void count(const struct capture *whole, const struct capture *cut, struct row *rows,
		  bool verbose)
{
	for (size_t i = 0; i < whole->store.samples.n; i++) {
		const struct store_sample *w = &whole->store.samples.data[i];
		const struct store_sample *s = &cut->store.samples.data[i];
		struct row *row = &rows[w->thread];
		bool wrong = false;

		if (w->ending != STACK_COMPLETE || perfdata__is_calibration(whole->data, w->event))
			continue;
		row->whole++;
		row->cut += s->stitched || s->ending == STACK_TRUNCATED;
		row->stitched += s->stitched;
		wrong = s->stitched && !is_equal(whole, cut, w->stack, s->stack);
		row->wrong += wrong;
		if (verbose && (wrong || s->ending == STACK_TRUNCATED))
			explain(whole, cut, i);
	}
}

int main(int argc, char **argv)
{
	bool verbose = argc > 1 && !strcmp(argv[1], "-v");
	struct capture *whole, *cut;
	struct row *rows;

	if (argc - verbose != 3) {
		fprintf(stderr, "usage: stitch_truth [-v] BYTES perf.data\n");
		return 2;
	}
	whole = read_capture(argv[argc - 1], 0);
	cut = read_capture(argv[argc - 1], (uint32_t)strtoul(argv[argc - 2], NULL, 10));
	if (whole->store.samples.n != cut->store.samples.n) {
		fprintf(stderr, "stitch_truth: the two readings differ in samples\n");
		return 1;
	}
	rows = mem__alloc(whole->machine.threads.n, sizeof(*rows));
	count(whole, cut, rows, verbose);
	for (uint32_t t = 0; t < whole->machine.threads.n; t++) {
		const char *name = python__thread_name(whole->python, t);

		if (rows[t].whole)
			printf("%u\t%u\t%s\t%lu\t%lu\t%lu\t%lu\n",
			       machine__process_of(&whole->machine, t)->pid,
			       whole->machine.threads.data[t].tid,
			       name ? name : machine__comm(&whole->machine, t), rows[t].whole,
			       rows[t].cut, rows[t].stitched, rows[t].wrong);
	}
	printf("# unseen %llu ambiguous %llu contradicted %llu evidence dropped %llu\n",
	       (unsigned long long)cut->stitch.unseen, (unsigned long long)cut->stitch.ambiguous,
	       (unsigned long long)cut->stitch.contradicted,
	       (unsigned long long)cut->store.evidence.dropped);
	free(rows);
	capture__free(whole);
	capture__free(cut);
	return 0;
}
