// SPDX-License-Identifier: GPL-2.0
/*
 * main > outer > middle > inner, which computes for a while in the way asked for:
 *
 *     chain compute | plt | vdso | signal | altstack [SECONDS]
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <time.h>

#define KEEP __attribute__((noinline, noclone))

void chain_callee(void); /* in a library of its own, entered through the PLT */

static volatile double sink;
static double seconds = 1;

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static KEEP void spin(void)
{
	for (int i = 0; i < 300000; i++)
		sink += i;
}

static KEEP void call_much(void)
{
	for (int i = 0; i < 300000; i++)
		chain_callee();
}

static KEEP void ask_the_time(void)
{
	struct timespec t;

	for (int i = 0; i < 30000; i++)
		clock_gettime(CLOCK_MONOTONIC, &t);
}

static KEEP void handler(int number)
{
	(void)number;
	spin();
	sink += 1;
}

/* Timers interrupt us, mostly in the middle of our own code. */
static void begin_signals(int flags)
{
	static char other_stack[1 << 16];
	const stack_t stack = { .ss_sp = other_stack, .ss_size = sizeof(other_stack) };
	const struct itimerval often = { { 0, 3000 }, { 0, 3000 } };
	struct sigaction action = { .sa_handler = handler, .sa_flags = flags };

	sigaltstack(&stack, NULL);
	sigaction(SIGPROF, &action, NULL);
	setitimer(ITIMER_PROF, &often, NULL);
}

static KEEP void inner(const char *how)
{
	double end = now() + seconds;

	while (now() < end) {
		if (!strcmp(how, "plt"))
			call_much();
		else if (!strcmp(how, "vdso"))
			ask_the_time();
		else
			spin();
	}
}

static KEEP void middle(const char *how)
{
	char room[600];

	memset(room, (int)seconds, sizeof(room));
	inner(how);
	sink += room[strlen(how)];
}

static KEEP void outer(const char *how)
{
	middle(how);
	sink += 1;
}

int main(int argc, char **argv)
{
	const char *how = argc > 1 ? argv[1] : "compute";

	if (argc > 2)
		seconds = atof(argv[2]);
	if (!strcmp(how, "signal"))
		begin_signals(SA_RESTART);
	if (!strcmp(how, "altstack"))
		begin_signals(SA_RESTART | SA_ONSTACK);
	outer(how);
	return sink < 0;
}
