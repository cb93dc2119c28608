// SPDX-License-Identifier: GPL-2.0
/*
 * Stacks of one thread, merged: a box for each, as wide as its share of the time, its
 * callees below it, the widest first.  Boxes too narrow to be seen are left out, with
 * all below them.
 */
#include <stdlib.h>
#include <string.h>

#include "perfconv/output/html.h"
#include "perfconv/output/page.h"

#define LEAST_SHARE 0.002 /* of the whole */
#define MAX_DEPTH 96u
#define MAX_BOXES 1500u

struct node {
	uint32_t parent, frame; /* a node, or FLAME_ROOT; of the profile */
	uint64_t ns;
	uint32_t depth;
};

#define FLAME_ROOT UINT32_MAX

struct flame {
	struct sink *out;
	const struct profile *profile;
	struct idmap keys;	/* (parent + 1, function) */
	struct idmap functions; /* (name, file): lines of one function are one box */
	VEC(struct node) nodes;
	VEC(uint32_t) order; /* nodes by parent, then widest first */
	VEC(uint32_t) first; /* by node + 1: its children begin there in order */
	VEC(uint32_t) path;  /* scratch */
	uint64_t total;
	uint32_t boxes;
};

static void add_stack(struct flame *f, uint32_t stack, uint64_t ns)
{
	const struct resolved *r = f->profile->resolved;
	uint32_t parent = FLAME_ROOT;

	f->path.n = 0;
	for (uint32_t s = stack; s != RESOLVE_NO_STACK; s = resolved__parent(r, s))
		vec__push(&f->path, resolved__leaf(r, s));
	f->total += ns;
	for (size_t i = 0; i < f->path.n && i < MAX_DEPTH; i++) {
		uint32_t frame = f->path.data[f->path.n - 1 - i];
		const struct frame *shown = &r->frames.data[frame];
		uint32_t function = idmap__intern(&f->functions, shown->name, shown->file);
		uint32_t node = idmap__intern(&f->keys, (uint64_t)parent + 1, function);

		if (node == f->nodes.n)
			vec__push(&f->nodes, ((struct node){ parent, frame, 0, (uint32_t)i }));
		f->nodes.data[node].ns += ns;
		parent = node;
	}
}

static int by_parent_and_width(const void *a, const void *b, void *nodes)
{
	const struct node *x = (struct node *)nodes + *(const uint32_t *)a;
	const struct node *y = (struct node *)nodes + *(const uint32_t *)b;

	if (x->parent != y->parent)
		return x->parent + 1 < y->parent + 1 ? -1 : 1;
	if (x->ns != y->ns)
		return x->ns > y->ns ? -1 : 1;
	return x < y ? -1 : x > y;
}

static void sort_nodes(struct flame *f)
{
	for (uint32_t i = 0; i < f->nodes.n; i++)
		vec__push(&f->order, i);
	if (f->order.n)
		qsort_r(f->order.data, f->order.n, sizeof(*f->order.data), by_parent_and_width,
			f->nodes.data);
	for (size_t i = 0; i < f->nodes.n + 2; i++)
		vec__push(&f->first, 0);
	for (size_t i = 0; i < f->order.n; i++) /* counts, then begins */
		f->first.data[f->nodes.data[f->order.data[i]].parent + 1 + 1]++;
	for (size_t i = 1; i < f->first.n; i++)
		f->first.data[i] += f->first.data[i - 1];
}

static const char *class_of(const struct flame *f, const struct frame *frame)
{
	enum reason reason;

	switch (frame->kind) {
	case FRAME_PYTHON:
	case FRAME_TASK:
		return "p";
	case FRAME_KERNEL:
		return "k";
	case FRAME_NOTE:
		reason = reason__by_name(strtab__get(&f->profile->resolved->strings, frame->name));
		return reason < REASONS ? page_state__class(page_state__of(reason)) : "o";
	case FRAME_NATIVE:
	case FRAME_THREAD:
	default:
		return "n";
	}
}

static void write_title(struct flame *f, const struct frame *frame, uint64_t ns)
{
	const struct strtab *strings = &f->profile->resolved->strings;

	html__raw(f->out, " title=\"");
	html__text(f->out, strtab__get(strings, frame->name));
	if (frame->file) {
		html__raw(f->out, "\n");
		html__text(f->out, strtab__get(strings, frame->file));
		if (frame->first_line)
			html__numbers(f->out, ":%u", frame->first_line);
	}
	html__numbers(f->out, "\n%.1f %%, %.3f s\"", 100 * (double)ns / (double)f->total,
		      (double)ns / 1e9);
}

static void write_box(struct flame *f, const struct node *node, uint64_t left)
{
	const struct frame *frame = &f->profile->resolved->frames.data[node->frame];

	html__raw(f->out, "<i class=\"");
	html__raw(f->out, class_of(f, frame));
	html__numbers(f->out, "\" style=\"--l:%.3f;--w:%.3f;--d:%u\"",
		      100 * (double)left / (double)f->total,
		      100 * (double)node->ns / (double)f->total, node->depth);
	write_title(f, frame, node->ns);
	html__raw(f->out, ">");
	html__text(f->out, strtab__get(&f->profile->resolved->strings, frame->name));
	html__raw(f->out, "</i>\n");
	f->boxes++;
}

static bool is_seen(const struct flame *f, const struct node *node)
{
	return f->boxes < MAX_BOXES && (double)node->ns >= LEAST_SHARE * (double)f->total;
}

/* As deep as MAX_DEPTH. */
static void write_children(struct flame *f, uint32_t parent, uint64_t left)
{
	uint32_t at = f->first.data[parent + 1], end = f->first.data[parent + 2];

	for (; at < end; at++) {
		const struct node *node = &f->nodes.data[f->order.data[at]];

		if (!is_seen(f, node))
			return; /* those that follow are narrower */
		write_box(f, node, left);
		write_children(f, f->order.data[at], left);
		left += node->ns;
	}
}

static uint32_t depth_of(const struct flame *f)
{
	uint32_t deepest = 0;

	for (size_t i = 0; i < f->nodes.n; i++)
		if ((double)f->nodes.data[i].ns >= LEAST_SHARE * (double)f->total &&
		    f->nodes.data[i].depth > deepest)
			deepest = f->nodes.data[i].depth;
	return deepest;
}

void page_flame__write(struct sink *s, const struct profile *p, const struct profile_thread *t,
		       bool off, bool open)
{
	struct flame f = { .out = s, .profile = p };

	for (size_t i = 0; i < t->slices.n; i++)
		if (t->slices.data[i].stack != RESOLVE_NO_STACK && t->slices.data[i].off == off)
			add_stack(&f, t->slices.data[i].stack, t->slices.data[i].weight);
	if (f.total) {
		sort_nodes(&f);
		html__numbers(s, "<details%s><summary>Where it %s: %.3f s</summary>\n",
			      open ? " open" : "", off ? "waits" : "runs", (double)f.total / 1e9);
		html__numbers(s, "<div class=\"flame\" style=\"--h:%u\">\n", depth_of(&f) + 1);
		write_children(&f, FLAME_ROOT, 0);
		html__raw(s, "</div></details>\n");
	}
	idmap__release(&f.keys);
	idmap__release(&f.functions);
	vec__release(&f.nodes);
	vec__release(&f.order);
	vec__release(&f.first);
	vec__release(&f.path);
}
