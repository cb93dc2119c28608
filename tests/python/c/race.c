/* SPDX-License-Identifier: GPL-2.0 */
/*
 * race.c - a data race on purpose: shows that the sanitizer would tell one in an extension.
 *
 * The sanitizer misses such a pair of threads once in some hundreds, so there are several.
 */
#include <pthread.h>

#define PAIRS 20

static unsigned long counter;

static void *count(void *unused)
{
	counter++;
	return unused;
}

int race(void);
int race(void)
{
	int ret = 0;

	for (int i = 0; i < PAIRS && !ret; i++) {
		pthread_t thread;

		ret = pthread_create(&thread, NULL, count, NULL);
		if (ret)
			break;
		count(NULL);
		ret = pthread_join(thread, NULL);
	}
	return ret;
}
