/* SPDX-License-Identifier: GPL-2.0 */
/*
 * race.c - a data race on purpose: shows that the sanitizer would tell one in an extension.
 */
#include <pthread.h>

static unsigned long counter;

static void *count(void *unused)
{
	counter++;
	return unused;
}

int race(void);
int race(void)
{
	pthread_t thread;
	int ret = pthread_create(&thread, NULL, count, NULL);

	counter++;
	return ret ? ret : pthread_join(thread, NULL);
}
