/* SPDX-License-Identifier: GPL-2.0 */
/*
 * symbols - function names for places: from ELF files, their debug files, and
 * the running kernel's table.  Tables are loaded when first asked for.
 */
#ifndef PERFCONV_SYMBOL_SYMBOLS_H
#define PERFCONV_SYMBOL_SYMBOLS_H

#include "perfconv/machine/images.h"
#include "perfconv/machine/machine.h"
#include "perfconv/symbol/inlines.h"

struct codemap;
struct symbols;

/**
 * symbols__new - names for the objects of @dsos, from the files of @images
 * Both are borrowed for the symbols' life.
 */
struct symbols *symbols__new(const struct dsos *dsos, struct images *images);
void symbols__free(struct symbols *s);

/** symbols__set_codemap - names for generated code too; @codemap is complete, and borrowed. */
void symbols__set_codemap(struct symbols *s, struct codemap *codemap);

/** symbols__find - the function at @place; NULL if nobody names it.  Lives with @s. */
const char *symbols__find(struct symbols *s, struct place place);

/**
 * symbols__sources - the functions and source lines at @place, innermost first
 * @out: room for INLINES_MAX; strings live with @s
 * Return: how many; 0: no debug information tells.
 */
size_t symbols__sources(struct symbols *s, struct place place, struct inline_frame *out);

/** symbols__kernel_unnamed - why kernel functions that were asked for have no names; or NULL. */
const char *symbols__kernel_unnamed(const struct symbols *s);

#endif
