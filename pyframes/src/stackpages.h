/* SPDX-License-Identifier: MIT */
/*
 * stackpages.h - makes a thread's stack readable for perf.
 *
 * The kernel copies a thread's stack into a sample without faulting pages in: the
 * copy ends at the first page that was never touched.  A C function with a large,
 * mostly unused frame (select.select() has 49 KiB) therefore hides all of its
 * callers.  Reading each page below the current depth once is enough; they become
 * mappings of the zero page and cost no memory.
 */
#ifndef PYFRAMES_STACKPAGES_H
#define PYFRAMES_STACKPAGES_H

#include <stddef.h>

/**
 * stackpages__touch() - reads the calling thread's stack pages below the current depth
 * @bytes: how far down; less where the stack's real bounds are nearer
 *
 * Return: how many bytes were touched; 0 on a stack whose bounds are not known.
 */
size_t stackpages__touch(size_t bytes);

#endif
