/* SPDX-License-Identifier: GPL-2.0 */
/*
 * race.c - a data race on purpose: shows that the sanitizer would tell one in an extension.
 *
 * The sanitizer misses two accesses that fall into the same instant, as each looks for the
 * other before either is written down; so both threads count often enough that they can't
 * all coincide.
 */
#include <pthread.h>

#define TIMES 1000

static volatile unsigned long counter;

static void *count(void *unused)
{
	for (int i = 0; i < TIMES; i++)
		counter++;
	return unused;
}

int race(void);
int race(void)
{
	pthread_t thread;
	int ret = pthread_create(&thread, NULL, count, NULL);

	count(NULL);
	return ret ? ret : pthread_join(thread, NULL);
}
