/* SPDX-License-Identifier: GPL-2.0 */
/*
 * call_stub.c - loads an arena, calls through two of its trampolines, unwinds from inside.
 *
 * The evaluator below is reached as a task's coroutine is: the first trampoline
 * calls the second, which calls the evaluator.  Built for any machine that has a
 * stub, also to run under qemu-user.  Exit status 0: arguments and result arrive
 * and the unwinder walks evaluator, trampoline, trampoline, caller, main.
 *
 * A mapped arena is called, too, but unwinders inside the process do not know it.
 *
 *     call_stub DIRECTORY loaded|mapped
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <unwind.h>

#include "arena.h"

typedef void *(*evaluator)(void *, void *, int);
typedef void *(*stub)(void *, void *, int, void *, void *);

static struct arena arena;
static uintptr_t addresses[16];
static int depth;

static _Unwind_Reason_Code step(struct _Unwind_Context *context, void *unused)
{
	(void)unused;
	if (depth < 16)
		addresses[depth++] = _Unwind_GetIP(context);
	return _URC_NO_REASON;
}

__attribute__((noinline)) static void *evaluate(void *thread, void *frame, int exc)
{
	_Unwind_Backtrace(step, NULL);
	return (char *)thread + (long)frame + exc;
}

static int in_slot(uintptr_t address, uint32_t slot)
{
	uintptr_t start = (uintptr_t)arena__entry(&arena, slot);

	return address > start && address < start + arena.layout.machine->slot_bytes;
}

__attribute__((noinline)) static void *call(uint32_t task, uint32_t function)
{
	return ((stub)(uintptr_t)arena__entry(&arena, task))((void *)1000, (void *)200, 30,
							     arena__entry(&arena, function),
							     (void *)(uintptr_t)evaluate);
}

int main(int argc, char **argv)
{
	static const char token[] = "00000000000000000000000000000000";
	enum arena_way way = argc == 3 && !strcmp(argv[2], "mapped") ? ARENA_MAPPED : ARENA_LOADED;
	uint32_t function, task;
	struct privdir dir;
	struct errbuf err;
	void *result;

	if (argc != 3 || privdir__init(&dir, argv[1], &err) ||
	    arena__open(&arena, &dir, token, 0, 64, way, &err)) {
		fprintf(stderr, "%s\n", argc == 3 ? err.text : "usage");
		return 2;
	}
	function = arena__add(&arena, "py::f:file", 10);
	task = arena__add(&arena, "task:t", 6);
	result = call(task, function);
	unlink(arena.path);
	printf("result %ld, %d frames\n", (long)result, depth);
	if (result != (void *)1230)
		return 1;
	if (way == ARENA_MAPPED)
		return 0;
	if (depth < 5)
		return 1;
	return in_slot(addresses[1], function) && in_slot(addresses[2], task) ? 0 : 1;
}
